/** How much of a long request is taken byte by byte: its beginning, and its end. */
export interface Density {
  readonly firstBytes: number;
  readonly lastBytes: number;
}

/** The bytes in two packets, in every way within the dense parts. */
export function splits(bytes: Buffer, density: Density): readonly (readonly [Buffer, Buffer])[] {
  return boundaries(bytes, density).map((at) => [bytes.subarray(0, at), bytes.subarray(at)]);
}

/** The bytes of the dense parts one by one, what stands between them in one packet. */
export function bytewise(bytes: Buffer, density: Density): readonly Buffer[] {
  const cuts = [0, ...boundaries(bytes, density), bytes.length];
  return cuts.slice(1).map((end, at) => bytes.subarray(cuts[at], end));
}

function boundaries(bytes: Buffer, { firstBytes, lastBytes }: Density): readonly number[] {
  return Array.from({ length: bytes.length - 1 }, (_, before) => before + 1).filter(
    (at) => at < firstBytes || bytes.length - at < lastBytes,
  );
}
