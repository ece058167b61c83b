import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ClientConnection } from '../../gateway/client-request.ts';

/**
 * What a stream is to those who end connections: to destroy it resets the stream alone, without an error where it was
 * answered already (RFC 9113 section 8.1), so that the client keeps the answer.
 */
export class StreamConnection implements ClientConnection {
  readonly encrypted = true;
  readonly remoteAddress: string | undefined;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, remoteAddress: string | undefined) {
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  destroy(): void {
    const stream = this.#stream;
    if (this.destroyed) return;
    if (stream.headersSent && stream.writableFinished) stream.close(constants.NGHTTP2_NO_ERROR);
    else this.resetAndDestroy();
  }

  resetAndDestroy(): void {
    // To close it would end the answer first, as if it were whole.
    if (!this.destroyed) this.#stream.destroy(new Error('cut'));
  }
}
