/** Makes new inputs out of old ones. */
import type { ComparedPair } from './coverage.ts';

/** A number from 0 to below `below`. */
export type Dice = (below: number) => number;

/** What a mutation may draw from. */
export interface Ingredients {
  readonly dice: Dice;
  /** Texts that mean something to the code. */
  readonly words: readonly Buffer[];
  /** Texts that the code compared in recent runs. */
  readonly pairs: readonly ComparedPair[];
  /** Another input that is worth something. */
  readonly other: () => Buffer;
  readonly bytesMax: number;
}

type Mutation = (input: Buffer, ingredients: Ingredients) => Buffer;

/** One to sixteen small changes, mostly few. */
export function mutate(input: Buffer, ingredients: Ingredients): Buffer {
  const { dice, bytesMax } = ingredients;
  let mutant = input;
  for (let rounds = 1 << dice(5); rounds > 0; rounds--) {
    const mutation = mutations[dice(mutations.length)] as Mutation;
    mutant = mutation(mutant, ingredients);
    if (mutant.length > bytesMax) mutant = mutant.subarray(0, bytesMax);
  }
  return mutant;
}

/** One place filled with one thing, up to `bytes`: what takes time by the square of its length shows here. */
export function stretch(input: Buffer, ingredients: Ingredients, bytes: number): Buffer {
  const { dice, words } = ingredients;
  const at = place(ingredients, input);
  const room = Math.max(0, bytes - input.length);
  const [from, to] = span(ingredients, input);
  const others = [input.subarray(at, at + 1), input.subarray(from, to), pick(dice, words)];
  // Most patterns that look again from every place do so from one character.
  const unit = dice(2) === 0 ? pick(dice, separators) : others[dice(others.length)];
  return unit === undefined || unit.length === 0 ? input : spliced(input, at, at, Buffer.alloc(room, unit));
}

const separators: readonly Buffer[] = Array.from(' \t"%&\'()*,-./:;<=>?@[\\]_{|}0a').map((text) =>
  Buffer.from(text),
);

/** Characters that parsers treat specially, and some that other parsers take for them. */
const telling: readonly Buffer[] = [
  ...Array.from('\0\t\n\r\x1f\x7f !"#%&\'()*+,-./:;<=>?@[\\]^_`{|}~0129afAFzZ'),
  ...['\r\n', '\r\n\r\n', '..', '//', '%2e', '%2F', '%5c', '%00', '%25', '%C3%9C', '%c0%ae', '%EF%BC%8F'],
  ...[
    '\u0085',
    '\u00a0',
    '\u2024',
    '\u2025',
    '\u2028',
    '\ufeff',
    '\uff0e',
    '\uff0f',
    '\u{1f4f7}',
    'Ü',
    'U\u0308',
  ],
].map((text) => Buffer.from(text));

const rawBytes: readonly Buffer[] = [
  [0x80],
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
].map((bytes) => Buffer.from(bytes));

/** Where something may be cut or put: mostly at the bounds of words. */
function place({ dice }: Ingredients, input: Buffer): number {
  const at = dice(input.length + 1);
  if (dice(3) === 0) return at;
  for (let to = at; to < Math.min(input.length, at + 12); to++) if (isBound(input, to)) return to;
  return at;
}

function isBound(input: Buffer, at: number): boolean {
  return at === 0 || isWordByte(input[at - 1] as number) !== isWordByte(input[at] as number);
}

function isWordByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte | 0x20) >= 0x61;
}

function span(ingredients: Ingredients, input: Buffer): [from: number, to: number] {
  const { dice } = ingredients;
  const from = place(ingredients, input);
  const wide = dice(4) === 0 ? Math.max(1, input.length) : 16;
  const to = Math.min(input.length, from + 1 + dice(wide));
  return [Math.min(from, to), to];
}

function spliced(input: Buffer, from: number, to: number, middle: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, from), middle, input.subarray(to)]);
}

function pick<T>(dice: Dice, from: readonly T[]): T {
  return from[dice(from.length)] as T;
}

const mutations: readonly Mutation[] = [
  function flipBit(input, { dice }) {
    if (input.length === 0) return input;
    const mutant = Buffer.from(input);
    const at = dice(input.length);
    mutant[at] = (input[at] as number) ^ (1 << dice(8));
    return mutant;
  },
  function setByte(input, { dice }) {
    if (input.length === 0) return input;
    const mutant = Buffer.from(input);
    mutant[dice(input.length)] = dice(2) === 0 ? dice(256) : 0x20 + dice(0x5f);
    return mutant;
  },
  function cutSpan(input, ingredients) {
    const [from, to] = span(ingredients, input);
    return spliced(input, from, to, Buffer.alloc(0));
  },
  function doubleSpan(input, ingredients) {
    const [from, to] = span(ingredients, input);
    return spliced(input, to, to, input.subarray(from, to));
  },
  function moveSpan(input, ingredients) {
    const [from, to] = span(ingredients, input);
    const rest = spliced(input, from, to, Buffer.alloc(0));
    const at = place(ingredients, rest);
    return spliced(rest, at, at, input.subarray(from, to));
  },
  function insertTelling(input, ingredients) {
    const { dice } = ingredients;
    const at = place(ingredients, input);
    return spliced(input, at, at, pick(dice, dice(8) === 0 ? rawBytes : telling));
  },
  function replaceByTelling(input, ingredients) {
    const at = place(ingredients, input);
    return spliced(input, at, Math.min(input.length, at + 1), pick(ingredients.dice, telling));
  },
  function insertWord(input, ingredients) {
    if (ingredients.words.length === 0) return input;
    const at = place(ingredients, input);
    return spliced(input, at, at, pick(ingredients.dice, ingredients.words));
  },
  function replaceByWord(input, ingredients) {
    if (ingredients.words.length === 0) return input;
    const [from, to] = span(ingredients, input);
    return spliced(input, from, to, pick(ingredients.dice, ingredients.words));
  },
  function satisfyComparison(input, { dice, pairs }) {
    if (pairs.length === 0) return input;
    const { left, right } = pick(dice, pairs);
    const [from, to] = dice(2) === 0 ? [left, right] : [right, left];
    const at = from === '' ? -1 : input.indexOf(from);
    return at === -1 ? input : spliced(input, at, at + Buffer.byteLength(from), Buffer.from(to));
  },
  function cross(input, ingredients) {
    const other = ingredients.other();
    return spliced(input, place(ingredients, input), input.length, other.subarray(place(ingredients, other)));
  },
  function insertFromOther(input, ingredients) {
    const other = ingredients.other();
    const [from, to] = span(ingredients, other);
    const at = place(ingredients, input);
    return spliced(input, at, at, other.subarray(from, to));
  },
  function swapLines(input, { dice, other }) {
    const lines = input.toString('latin1').split('\n');
    const from = dice(4) === 0 ? other().toString('latin1').split('\n') : lines;
    lines.splice(dice(lines.length + 1), dice(2), pick(dice, from));
    return Buffer.from(lines.join('\n'), 'latin1');
  },
  function escapeByte(input, { dice }) {
    if (input.length === 0) return input;
    const at = dice(input.length);
    const escaped = `%${(input[at] as number).toString(16).padStart(2, '0')}`;
    return spliced(input, at, at + 1, Buffer.from(dice(2) === 0 ? escaped : escaped.toUpperCase()));
  },
  function unescapeByte(input, { dice }) {
    const at = input.indexOf('%', dice(input.length + 1));
    const byte = Number.parseInt(input.toString('latin1', at + 1, at + 3), 16);
    return at === -1 || Number.isNaN(byte) ? input : spliced(input, at, at + 3, Buffer.from([byte]));
  },
  function changeCase(input, { dice }) {
    const mutant = Buffer.from(input);
    const at = dice(input.length + 1);
    for (let to = at; to < Math.min(input.length, at + 1 + dice(8)); to++) {
      const byte = input[to] as number;
      if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) mutant[to] = byte ^ 0x20;
    }
    return mutant;
  },
  function repeat(input, ingredients) {
    const { dice, bytesMax } = ingredients;
    const [from, to] = span(ingredients, input);
    const times = Math.min(1 << dice(12), Math.floor((bytesMax - input.length) / Math.max(1, to - from)));
    if (times <= 0) return input;
    return spliced(input, to, to, Buffer.alloc((to - from) * times, input.subarray(from, to)));
  },
];
