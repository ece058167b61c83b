import { isUtf8 } from 'node:buffer';
import type { Answer, Asked } from '../ask.ts';
import { settledFields } from '../envoy-fields.ts';
import type { CheckResponse, HeaderValueOption } from './messages.ts';

/** Numbers of google.rpc.Code: Envoy allows at 0 and at nothing else. */
const grpcCode = { ok: 0, permissionDenied: 7, unavailable: 14, unauthenticated: 16 } as const;

/**
 * Says an answer in Envoy's words. A refusal keeps its status, its fields and its body; a fault of ours is a refusal with
 * 5xx, which Envoy hands on whatever its `failure_mode_allow` says.
 */
export function checkResponse(answer: Answer, asked: Asked): CheckResponse {
  if (answer.kind === 'refuse') return deniedResponse(answer.status, answer.fields, answer.body);
  const { set, removed } = settledFields(answer, asked);
  // Envoy sends the request on under this path: without the credential that stood in its query.
  if (answer.target !== asked.target) set.push(':path', answer.target);
  const { options, unsaid } = optionsFor(set);
  // Without its If a request would be another one; without Cookie or Referer it is the same.
  if (unsaid.some((name) => name !== 'cookie' && name !== 'referer')) return deniedResponse(400, [], '');
  return {
    status: { code: grpcCode.ok },
    okResponse: { headers: options, headersToRemove: [...removed, ...unsaid] },
  };
}

/** A refusal that Envoy hands on to the client. */
export function deniedResponse(status: number, fields: readonly string[], body: string): CheckResponse {
  const code =
    status === 401
      ? grpcCode.unauthenticated
      : status >= 500
        ? grpcCode.unavailable
        : grpcCode.permissionDenied;
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    // Envoy counts the body itself.
    if (fields[at] !== 'Content-Length') kept.push(fields[at] as string, fields[at + 1] as string);
  }
  return {
    status: { code },
    deniedResponse: { status: { code: status }, headers: optionsFor(kept).options, body },
  };
}

/**
 * Each field by itself: Envoy sets them on a request, and adds them to a refusal. `unsaid` are those whose bytes are not
 * UTF-8, and cannot be said: Envoy ignores `raw_value` in an answer.
 */
function optionsFor(fields: readonly string[]): {
  readonly options: readonly HeaderValueOption[];
  readonly unsaid: readonly string[];
} {
  const options: HeaderValueOption[] = [];
  const unsaid: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const key = (fields[at] as string).toLowerCase();
    const bytes = Buffer.from(fields[at + 1] as string, 'latin1');
    if (isUtf8(bytes))
      options.push({ header: { key, value: bytes.toString('utf8') }, append: { value: false } });
    else unsaid.push(key);
  }
  return { options, unsaid };
}
