import { printableLines } from '../core/printable.ts';
import type { CommandIo } from './command-io.ts';

/** Marks that commands colour their own words with, where `color` allows it. */
const ownMarks = /(\u001B\[(?:0|2|31|32|33)m)/;

/**
 * The same world, to which nothing is written that steers a terminal, wherever a text came from: a user agent,
 * a backend's answer, an argument. Escapes are as in JSON, so data printed as JSON stays the same data.
 */
export function guardedIo(io: CommandIo): CommandIo {
  const guarded = (text: string): string =>
    io.color
      ? text
          .split(ownMarks)
          .map((part, at) => (at % 2 === 1 ? part : printableLines(part)))
          .join('')
      : printableLines(text);
  return {
    ...io,
    stdout: (text) => io.stdout(guarded(text)),
    stderr: (text) => io.stderr(guarded(text)),
    confirm: (question) => io.confirm(guarded(question)),
  };
}
