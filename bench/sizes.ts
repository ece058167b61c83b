/** Bytes of one large transfer, either way. */
export const transferBytes: number = 16 * 1024 * 1024;
/** Tokens in the store while cold verification is measured. */
export const storeTokens = 1_000_000;
/** Entries in memory while their weight is measured. */
export const l1Entries = 100_000;
/** Idle connections held open. */
export const idleConnections = 10_000;
