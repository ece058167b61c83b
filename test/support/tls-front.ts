import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from './certificates.ts';
import { makeScratch } from './scratch.ts';

/** A proxy that speaks TLS to browsers and plain HTTP to a gateway, as most gateways are reached. */
export interface TlsFront {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts one on 127.0.0.1; the gateway has to trust it. Its certificate is nobody's. Needs openssl. */
export async function startTlsFront(gatewayPort: number): Promise<TlsFront> {
  const scratch = await makeScratch('tls-front');
  await makeCertificates(scratch);
  const key = await readFile(scratch.file('server.key'));
  const cert = await readFile(scratch.file('server.pem'));
  const server = createServer({ key, cert }, (req, res) => {
    const { method, url: path } = req;
    const headers = { ...req.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.24' };
    const onward = request({ host: '127.0.0.1', port: gatewayPort, method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    req.pipe(onward);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await scratch.remove();
    },
  };
}
