import { z } from 'zod';
import type { Parsed } from './quantities.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from './quantities.ts';

/** Where a secret stands: never in the file itself. */
export type SecretReference = { readonly fromEnv: string } | { readonly fromFile: string };

/** A value that may be left out, which is null in the end. An empty value in the file stays an error. */
export function optional<T>(schema: z.ZodType<T>): z.ZodDefault<z.ZodType<T | null>> {
  return (schema as z.ZodType<T | null>).default(null);
}

/** A text that `parse` understands; what it says is wrong becomes the problem. */
export function leaf<T>(parse: (text: string) => Parsed<T>, description: string): z.ZodType<T, string> {
  return z
    .string()
    .transform((text, context) => accept(parse(text), context))
    .meta({ description });
}

/** A duration with a default and bounds; milliseconds in the end. */
export function duration(
  description: string,
  fallback: string,
  bounds: readonly [minMs: number, maxMs: number],
): z.ZodPrefault<z.ZodType<number, string | number>> {
  return quantity(parseDuration, formatDuration, bounds).prefault(fallback).meta({ description });
}

/** A size with a default and bounds; bytes in the end. */
export function size(
  description: string,
  fallback: string,
  bounds: readonly [minBytes: number, maxBytes: number],
): z.ZodPrefault<z.ZodType<number, string | number>> {
  return quantity(parseSize, formatSize, bounds).prefault(fallback).meta({ description });
}

/** A whole number within bounds. */
export function wholeNumber(
  description: string,
  bounds: readonly [min: number, max: number],
): z.ZodType<number> {
  const error = `must be a whole number from ${bounds[0]} to ${bounds[1]}`;
  return z.int({ error }).min(bounds[0], { error }).max(bounds[1], { error }).meta({ description });
}

/** `{fromEnv}` or `{fromFile}`; a literal is refused with that advice. */
export function secret(description: string): z.ZodType<SecretReference> {
  return z
    .union(
      [
        z.strictObject({ fromEnv: leaf(parseEnvName, 'Name of the environment variable that holds it.') }),
        z.strictObject({ fromFile: leaf(parseFileName, 'File that holds it, relative to this file.') }),
      ],
      {
        error:
          'must be {fromFile: PATH} or {fromEnv: NAME}, one of them; a secret itself does not belong into this file',
      },
    )
    .meta({ description });
}

/** A file or folder name, as written. */
export function parseFileName(text: string): Parsed<string> {
  return text === '' || text.includes('\0')
    ? { wrong: 'must be the path of a file or folder' }
    : { value: text };
}

/** Adds a string's surroundings of one or many: `x` means `[x]`. */
export function oneOrMany<T>(item: z.ZodType<T>, what: string, description: string): z.ZodType<readonly T[]> {
  return z
    .union([item, z.array(item).min(1, { error: `must hold at least one ${what}` })], {
      error: `must be ${what}, or a list of them`,
    })
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .meta({ description });
}

function quantity(
  parse: (written: string | number) => Parsed<number>,
  format: (amount: number) => string,
  [min, max]: readonly [number, number],
): z.ZodType<number, string | number> {
  const error = (parse('') as { readonly wrong: string }).wrong;
  return z.union([z.string(), z.number()], { error }).transform((written, context) => {
    const parsed = parse(written);
    if ('value' in parsed && (parsed.value < min || parsed.value > max)) {
      const bare = parsed.value > 0 && /\d$/.test(String(written));
      const taken = bare ? `; ${written} without a unit is ${format(parsed.value)}` : '';
      return accept({ wrong: `must be between ${format(min)} and ${format(max)}${taken}` }, context);
    }
    return accept<number>(parsed, context);
  });
}

function accept<T>(parsed: Parsed<T>, context: z.RefinementCtx): T {
  if ('value' in parsed) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.wrong });
  return z.NEVER;
}

function parseEnvName(text: string): Parsed<string> {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
    ? { value: text }
    : { wrong: 'must be the name of an environment variable' };
}
