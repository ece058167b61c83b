/** What a reader of one value found: the value, or a sentence about what is wrong with it. */
export type Parsed<T> = { readonly value: T } | { readonly wrong: string };

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** Milliseconds of `250ms`, `30s`, `5m`, `2h`, `1d` or a plain number of milliseconds. */
export function parseDuration(written: string | number): Parsed<number> {
  return parseQuantity(written, durationUnits, 'a duration such as 30s, 5m or a number of milliseconds');
}

/** Bytes of `512KiB`, `10GiB`, `5GB` or a plain number of bytes. */
export function parseSize(written: string | number): Parsed<number> {
  return parseQuantity(written, sizeUnits, 'a size such as 512KiB, 10GiB or a number of bytes');
}

function parseQuantity(
  written: string | number,
  units: Readonly<Record<string, number>>,
  expected: string,
): Parsed<number> {
  const parts = /^(\d{1,15}) ?([A-Za-z]*)$/.exec(String(written));
  const factor = parts?.[2] === '' ? 1 : units[parts?.[2] ?? '-'];
  const amount = Number(parts?.[1]) * (factor ?? Number.NaN);
  return Number.isSafeInteger(amount) ? { value: amount } : { wrong: `must be ${expected}` };
}

/** The shortest exact spelling of a duration: 90000 is `90s`, 60000 is `1m`. */
export function formatDuration(milliseconds: number): string {
  return formatQuantity(
    milliseconds,
    [
      ['d', 86_400_000],
      ['h', 3_600_000],
      ['m', 60_000],
      ['s', 1_000],
    ],
    'ms',
  );
}

/** The shortest exact spelling of a size in binary units: 10737418240 is `10GiB`. */
export function formatSize(bytes: number): string {
  return formatQuantity(
    bytes,
    [
      ['TiB', 2 ** 40],
      ['GiB', 2 ** 30],
      ['MiB', 2 ** 20],
      ['KiB', 2 ** 10],
    ],
    'B',
  );
}

function formatQuantity(
  amount: number,
  units: readonly (readonly [string, number])[],
  smallest: string,
): string {
  for (const [unit, factor] of units) {
    if (amount > 0 && amount % factor === 0) return `${amount / factor}${unit}`;
  }
  return `${amount}${smallest}`;
}
