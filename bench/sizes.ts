/** Bytes of one large transfer, either way. */
export const transferBytes: number = 16 * 1024 * 1024;
/** Tokens in the store while cold verification and self-service are measured. */
export const storeTokens = 1_000_000;
/** Entries in memory while their weight is measured. */
export const l1Entries = 100_000;
/** Idle connections held open. */
export const idleConnections = 10_000;
/** Users in the store while self-service is measured. */
export const peopleInStore = 100_000;
/** Tokens of the one user who has very many. */
export const tokensOfOne = 2_500;
