import type { MiddlewareHandler } from 'hono';
import type { WebContext, WebEnv } from './context.ts';

/**
 * Answers by `tooLarge` where a body is longer than `bytesMax`, whether it says so or does not say how long it is. A
 * body of unstated length is read here, once, and kept for the handlers.
 */
export function limitBody(
  bytesMax: number,
  tooLarge: (c: WebContext) => Response | Promise<Response>,
): MiddlewareHandler<WebEnv> {
  return async (c, next) => {
    const { method, raw } = c.req;
    const length = c.req.header('Content-Length');
    // Of these nobody reads a body.
    if (method === 'GET' || method === 'HEAD') return next();
    if (length !== undefined) return Number(length) > bytesMax ? tooLarge(c) : next();
    // In HTTP/2 a body needs neither length nor coding (RFC 9113 section 8.1.1).
    const body = await readUpTo(raw.body, bytesMax);
    if (body === null) return tooLarge(c);
    c.req.raw = new Request(raw.url, { method, headers: raw.headers, body });
    return next();
  };
}

async function readUpTo(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<ArrayBuffer | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks)).buffer;
}
