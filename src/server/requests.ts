import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WireHints } from '../gateway/client-exchange.ts';
import type { ClientRequest, ClientResponse } from '../gateway/client-request.ts';
import { type PipelineDeps, serve } from '../gateway/pipeline.ts';
import { isOwnTarget, type OwnPages, serveOwnPage, type Wire } from './own-pages.ts';

/** What answers a request: the pipeline, our own pages, or the keys of assertions. */
export interface RequestsDeps {
  /** The pipeline in force; asked for every request, so that a reload needs no new listener. */
  pipeline(): PipelineDeps;
  /** The public keys of assertions as JSON; null while no route sends any. */
  assertionKeys(): string | null;
  /** The gateway's own pages; null where there are none, and their addresses are the routes'. */
  readonly ownPages: OwnPages | null;
}

/** Hands requests to who answers them, however they came. */
export interface Requests {
  /** Whether requests for this target are for the pipeline alone. */
  isForPipeline(target: string): boolean;
  /** Answers one; `wire` is asked for the same as Node's objects where our own pages answer it. */
  take(req: ClientRequest, res: ClientResponse, hints: WireHints, wire: () => Wire): void;
}

/** Where backends fetch the keys of assertions (RFC 8615). */
const assertionKeysTarget = '/.well-known/jwks.json';

/** See `Requests`. */
export function createRequests(deps: RequestsDeps): Requests {
  const { ownPages } = deps;
  return {
    isForPipeline: (target) => target !== assertionKeysTarget && (ownPages === null || !isOwnTarget(target)),
    take(req, res, hints, wire) {
      const target = req.url ?? '';
      const keys = target === assertionKeysTarget ? deps.assertionKeys() : null;
      const pipeline = deps.pipeline();
      if (keys !== null) sendKeys(req, res, keys);
      else if (ownPages !== null && isOwnTarget(target))
        serveOwnPage(req, res, hints, { pages: ownPages, wire: wire() }, pipeline);
      else void serve(req, res, hints, pipeline);
    },
  };
}

/** What `node:http` made of a request is both what is served and what our own pages are handed. */
export function sameWire(incoming: IncomingMessage, outgoing: ServerResponse): () => Wire {
  return () => ({ incoming, outgoing });
}

/** Public knowledge: nothing of the request is read but its method. */
function sendKeys(req: ClientRequest, res: ClientResponse, keys: string): void {
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  const length = String(isRead ? Buffer.byteLength(keys) : 0);
  const more = isRead ? ['Cache-Control', 'public, max-age=300'] : ['Allow', 'GET, HEAD'];
  const fields = ['Content-Type', 'application/jwk-set+json', 'Content-Length', length, ...more];
  res.writeHead(isRead ? 200 : 405, isRead ? 'OK' : 'Method Not Allowed', fields);
  res.end(isRead && req.method === 'GET' ? keys : undefined);
}
