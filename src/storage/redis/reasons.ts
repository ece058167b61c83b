import type { RedisConfig } from '../../config/config.ts';

/**
 * Why a client of this configuration failed, in its own words or the server's, secrets blotted out. Where Sentinels do not
 * know the master, it says which key to correct: the client calls them unreachable.
 */
export function reasonOf(config: RedisConfig, error: unknown): string {
  const text = wordsOf(error);
  if (/No such (master|primary) with that name/.test(text)) {
    return `the Sentinels know no master named "${config.sentinelName}": correct redis.sentinelName or redis.nodes`;
  }
  return [config.password, config.sentinelPassword]
    .filter((secret) => secret !== null)
    .reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A Cluster's own message does not say what is wrong.
  const isWrapped = 'lastNodeError' in error && error.lastNodeError instanceof Error;
  return isWrapped ? wordsOf(error.lastNodeError) : error.message;
}
