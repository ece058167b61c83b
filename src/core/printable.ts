/** What steers a terminal, hides, or changes the direction of what stands around it. */
const steering = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text from elsewhere (a name, a path, a header) as one line that shows what is in it and does nothing else:
 * control, invisible and direction characters become `\u001b`, as JSON writes them.
 */
export function printable(text: string): string {
  return text.replace(steering, escapeUnits);
}

/** The same for whole texts: their line breaks stay. */
export function printableLines(text: string): string {
  return text.replace(steering, (found) => (found === '\n' ? found : escapeUnits(found)));
}

function escapeUnits(found: string): string {
  return Array.from({ length: found.length }, (_, at) => found.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
