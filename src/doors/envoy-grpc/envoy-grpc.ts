import type { Duplex } from 'node:stream';
import { type handleUnaryCall, Server, ServerCredentials, status as grpcStatus } from '@grpc/grpc-js';
import { type DoorDeps, wronglyTold } from '../door.ts';
import { checkResponse, deniedResponse } from './check-response.ts';
import { readCheckRequest } from './check-request.ts';
import type { CheckRequest, CheckResponse } from './messages.ts';
import { loadCheckMethod } from './check-method.ts';

/** Envoy's door over gRPC: the service envoy.service.auth.v3.Authorization. */
export interface EnvoyGrpc {
  /** Serves one connection, HTTP/2 without TLS (h2c with prior knowledge), until either side ends it. */
  serve(connection: Duplex): void;
  /** Lets calls under way end within `graceMs` and closes the connections; takes no further ones. */
  close(graceMs: number): void;
}

/** A question holds a head of at most 60 KiB, which is Envoy's own limit, and certificates where it is told to. */
const questionBytesMax = 262_144;
/** Calls under way on one connection; Envoy opens one for each of its threads. */
const callsMax = 1_000;

/** See `EnvoyGrpc`. Listens nowhere: connections are handed in, so that they may come from a port shared by processes. */
export function createEnvoyGrpc(deps: DoorDeps): EnvoyGrpc {
  const check = loadCheckMethod();
  const server = new Server({
    'grpc.max_receive_message_length': questionBytesMax,
    'grpc.max_concurrent_streams': callsMax,
    'grpc.enable_channelz': 0,
  });
  const { path, responseSerialize, requestDeserialize } = check;
  server.register(path, callHandler(deps), responseSerialize, requestDeserialize, 'unary');
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (connection) => connections.injectConnection(connection),
    close(graceMs) {
      connections.drain(graceMs);
      connections.destroy();
    },
  };
}

function callHandler(deps: DoorDeps): handleUnaryCall<CheckRequest, CheckResponse> {
  return ({ request }, reply) => {
    const answer = answerTo(request, deps);
    if (!(answer instanceof Promise)) return reply(null, answer);
    // An empty answer would be an allow: what fails is an error of the call, by which Envoy allows nothing.
    answer.then(
      (later) => reply(null, later),
      () => reply({ code: grpcStatus.INTERNAL, details: 'the gateway failed' }),
    );
  };
}

/** Envoy asks wrongly, which is no fault of the client's. */
const unreadable = deniedResponse(wronglyTold.status, wronglyTold.fields, wronglyTold.body);

function answerTo(request: CheckRequest, deps: DoorDeps): CheckResponse | Promise<CheckResponse> {
  const asked = readCheckRequest(request, deps.clientSide());
  if (typeof asked === 'string') {
    deps.misasked('envoy', asked);
    return unreadable;
  }
  const answer = deps.ask(asked);
  return answer instanceof Promise
    ? answer.then((later) => checkResponse(later, asked))
    : checkResponse(answer, asked);
}
