import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { CheckRequest, CheckResponse } from './messages.ts';

/** The method by which Envoy asks, as grpc-js wants it described. */
export type CheckMethod = MethodDefinition<CheckRequest, CheckResponse>;

/**
 * Reads `envoy.service.auth.v3.Authorization` from the definition beside this file. Costs a file and some milliseconds:
 * once a process.
 * @throws where the file is missing, which is a broken installation.
 */
export function loadCheckMethod(): CheckMethod {
  const file = fileURLToPath(new URL('./proto/ext_authz.proto', import.meta.url));
  const service = loadSync(file)['envoy.service.auth.v3.Authorization'] as
    | Readonly<Record<'Check', CheckMethod>>
    | undefined;
  if (service === undefined) throw new Error(`${file} describes no Authorization service`);
  return service.Check;
}
