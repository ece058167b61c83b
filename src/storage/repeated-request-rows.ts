import { cutShortMs, repeatedKeptMs, type RepeatedRequest } from '../management/repeated-requests.ts';
import type { Row } from './row.ts';

/** What a row of `repeated_requests`, where there is one, says of a request that comes now. */
export function judgeRepeated(row: Row | undefined, requestDigest: string, now: number): RepeatedRequest {
  const ageMs = now - Number(row?.['at']);
  if (row === undefined || ageMs >= repeatedKeptMs) return { kind: 'first' };
  const answer = row['answer'] as string | null;
  if (answer === null && ageMs >= cutShortMs) return { kind: 'first' };
  if (row['request_digest'] !== requestDigest) return { kind: 'other' };
  return answer === null ? { kind: 'running' } : { kind: 'answered', answer };
}
