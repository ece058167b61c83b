/** The bytes in two packets, cut at each of these places. */
export function splits(bytes: Buffer, cuts: readonly number[]): readonly (readonly [Buffer, Buffer])[] {
  return cuts.map((at) => [bytes.subarray(0, at), bytes.subarray(at)]);
}

/** The bytes in one packet more than there are cuts. */
export function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}

/** Every place between two bytes; of the long ones, only among the first and the last so many. */
export function boundaries(
  bytes: Buffer,
  firstBytes: number = bytes.length,
  lastBytes: number = 0,
): readonly number[] {
  return Array.from({ length: bytes.length - 1 }, (_, before) => before + 1).filter(
    (at) => at < firstBytes || bytes.length - at < lastBytes,
  );
}

/** How many bytes two have in common at their beginning. */
export function commonBytes(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}
