import { request } from 'node:http';
import type { Gateway } from './gateway.ts';

/** One large transfer and the memory it took. */
export interface Transfer {
  readonly status: number;
  /** Body bytes of the response. */
  readonly received: number;
  /** The response's body where it is short, else ''. */
  readonly text: string;
  /** Largest resident memory of the gateway seen meanwhile, bytes. */
  readonly residentPeakBytes: number;
}

const block = Buffer.alloc(1024 * 1024, 'latchkey');

/** PUTs `uploadBytes` through the gateway, or GETs where it is 0, watching the gateway's memory. */
export async function transfer(
  gateway: Gateway,
  token: string,
  target: string,
  uploadBytes: number,
): Promise<Transfer> {
  let residentPeakBytes = await gateway.residentBytes();
  const watch = setInterval(() => {
    void gateway.residentBytes().then((bytes) => {
      residentPeakBytes = Math.max(residentPeakBytes, bytes);
    });
  }, 100);
  try {
    const done = await send(gateway.port, token, target, uploadBytes);
    return { ...done, residentPeakBytes };
  } finally {
    clearInterval(watch);
  }
}

function send(
  port: number,
  token: string,
  path: string,
  uploadBytes: number,
): Promise<Omit<Transfer, 'residentPeakBytes'>> {
  return new Promise((resolve, reject) => {
    const method = uploadBytes > 0 ? 'PUT' : 'GET';
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(uploadBytes > 0 ? { 'Content-Length': uploadBytes } : {}),
    };
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (res) => {
      let received = 0;
      let text = '';
      res.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received < 1_000) text += chunk.toString('latin1');
      });
      res.once('error', reject);
      res.once('end', () => {
        resolve({ status: res.statusCode ?? 0, received, text });
      });
    });
    outgoing.once('error', reject);
    let left = uploadBytes;
    const pump = (): void => {
      while (left > 0) {
        const part = left < block.length ? block.subarray(0, left) : block;
        left -= part.length;
        if (!outgoing.write(part)) {
          outgoing.once('drain', pump);
          return;
        }
      }
      outgoing.end();
    };
    pump();
  });
}
