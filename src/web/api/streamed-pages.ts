import type { IncomingMessage } from 'node:http';
import type { Page } from '../../core/page.ts';
import type { ApiContext } from './api-context.ts';

/** What a stream of pages needs. */
export interface StreamedPages<Item> {
  readonly first: Page<Item>;
  /** Rejects where there can be no further page. */
  read(after: string): Promise<Page<Item>>;
  present(item: Item): object;
  /** Told of what broke the stream off; must not throw. */
  readonly fault: (requestId: string, error: unknown) => void;
}

/**
 * Answers with one JSON object a line, reading each page when the one before has gone out. Where a page fails, the
 * connection breaks: what was sent so far must not be taken for the whole, and no status can say so any more.
 */
export function answerLines<Item>(c: ApiContext, pages: StreamedPages<Item>): Response {
  const { incoming } = c.env as { readonly incoming: IncomingMessage };
  const encoder = new TextEncoder();
  let page: Page<Item> | null = pages.first;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { items, next }: Page<Item> = page ?? { items: [], next: null, total: null };
        const lines = items.map((item) => `${JSON.stringify(pages.present(item))}\n`).join('');
        if (lines !== '') controller.enqueue(encoder.encode(lines));
        page = next === null ? null : await pages.read(next);
        if (page === null) controller.close();
      } catch (error) {
        pages.fault(c.get('visit').requestId, error);
        // The server would write an error of this stream into the body; it is told of the connection's end instead.
        incoming.socket.destroy();
        await new Promise(() => undefined);
      }
    },
  });
  return c.body(body, 200, { 'Content-Type': 'application/x-ndjson' });
}
