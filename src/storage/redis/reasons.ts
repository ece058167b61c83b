import type { RedisConfig } from '../../config/config.ts';

/** What servers say to a configuration that is not theirs, and what to do about it. */
const advice: readonly (readonly [said: RegExp, next: string])[] = [
  [/cluster support disabled/, 'this is no Cluster: correct redis.mode or redis.nodes'],
  [/^MOVED /, 'this is one of a Cluster: set redis.mode to cluster'],
  [/unknown command .?sentinel/i, 'this is no Sentinel: correct redis.mode or redis.nodes'],
  [/accepted by Sentinel instances/, 'this is a Sentinel: set redis.mode to sentinel, with sentinelName'],
  [/NOAUTH/, 'give redis.password, and redis.username where there is one'],
  [/WRONGPASS|invalid password|without any password configured/, 'correct redis.username and redis.password'],
  [/NOPERM/, 'let redis.username do that: docs/scale-out.md has the commands (ACL SETUSER)'],
];

/**
 * Why a client of this configuration failed, in its own words or the server's, secrets blotted out, and which key to correct
 * where the server is another one than the configuration believes. Where Sentinels do not know the master, that alone: the client
 * calls them unreachable.
 */
export function reasonOf(config: RedisConfig, error: unknown): string {
  const text = wordsOf(error);
  if (/No such (master|primary) with that name/.test(text)) {
    return `the Sentinels know no master named "${config.sentinelName}": correct redis.sentinelName or redis.nodes`;
  }
  const shown = [config.password, config.sentinelPassword]
    .filter((secret) => secret !== null)
    .reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
  const next = advice.find(([said]) => said.test(text))?.[1];
  return next === undefined ? shown : `${shown.trimEnd().replace(/\.$/, '')}; ${next}`;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A Cluster's own message does not say what is wrong.
  const isWrapped = 'lastNodeError' in error && error.lastNodeError instanceof Error;
  return isWrapped ? wordsOf(error.lastNodeError) : error.message;
}
