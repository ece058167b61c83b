import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type { CheckRequest, CheckResponse } from '../../src/doors/envoy-grpc/messages.ts';
import { loadCheckMethod } from '../../src/doors/envoy-grpc/check-method.ts';

/** Asks as Envoy does over gRPC. */
export interface EnvoyClient {
  /** Rejects with the error of the call, which has a `code`. */
  check(request: CheckRequest): Promise<CheckResponse>;
  /** Sends these bytes as the request of any method. */
  call(path: string, request: Buffer): Promise<Buffer>;
  close(): void;
}

/** A client with one connection to a port of 127.0.0.1, opened at the first call. */
export function createEnvoyClient(port: number): EnvoyClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const { path, requestSerialize, responseDeserialize } = loadCheckMethod();
  const as = <Q, A>(
    method: string,
    write: (value: Q) => Buffer,
    read: (bytes: Buffer) => A,
    request: Q,
  ): Promise<A> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + 10_000;
      const done = (error: ServiceError | null, answer?: A): void =>
        error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error('no answer'));
      client.makeUnaryRequest(method, write, read, request, { deadline }, done);
    });
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    check: (request) => as(path, requestSerialize, responseDeserialize, request),
    call: (method, request) => as(method, same, same, request),
    close: () => client.close(),
  };
}
