/** Random choices that a seed repeats. */
export interface Seeded {
  /** 0 to below 1. */
  next(): number;
  /** True as often as `chance`, 0 to 1. */
  chance(chance: number): boolean;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): readonly T[];
  /** 16 characters; never the same for two seeds that matter to us. */
  name(): string;
}

/** The same numbers for the same seed and label (mulberry32 over an FNV-1a hash of both). */
export function seeded(seed: number, label: string): Seeded {
  let state = 0x81_1c_9d_c5;
  for (const char of `${seed} ${label}`) state = Math.imul(state ^ char.charCodeAt(0), 0x01_00_01_93);
  const next = (): number => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    next,
    chance: (chance) => next() < chance,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
    shuffle<T>(items: readonly T[]) {
      const left = [...items];
      return items.map(() => left.splice(below(left.length), 1)[0] as T);
    },
    name: () => Array.from({ length: 16 }, () => below(36).toString(36)).join(''),
  };
}
