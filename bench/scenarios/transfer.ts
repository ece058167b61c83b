import { compare, type Measured } from '../compare.ts';
import { latchkey, nginx, nodeProxy } from '../peers.ts';
import { transferBytes } from '../sizes.ts';
import { atMost, plain, type Row, skipped } from '../table.ts';

const ratioMax = 0.85;
/** Half a gigabyte a round. */
const requests = 32;

/** 16 MiB GET and PUT, framed by Content-Length, in CPU milliseconds per 10⁹ bytes. */
export async function transfer(rounds: number): Promise<readonly Row[]> {
  return [...(await oneWay('GET', rounds)), ...(await oneWay('PUT', rounds))];
}

async function oneWay(method: 'GET' | 'PUT', rounds: number): Promise<readonly Row[]> {
  const body = method === 'PUT' ? Buffer.alloc(transferBytes, 'x') : undefined;
  const { measured, missing } = await compare({
    rounds,
    peers: [
      { name: 'http-proxy-3, bare', start: nodeProxy('http-proxy-3, bare', 'http-proxy') },
      { name: 'Latchkey', start: latchkey('Latchkey', true) },
      { name: 'nginx, no check', start: nginx('nginx', 'plain') },
    ],
    load: (peer) => ({
      url: `http://127.0.0.1:${peer.port}/dav/files/alice/Photos/large`,
      method,
      headers: peer.headers,
      connections: 4,
      until: { requests },
      ...(body === undefined ? {} : { body }),
    }),
    warmUp: { requests },
    sampleMs: null,
  });
  const [reference, own] = measured as [Measured, Measured];
  const title = `16 MiB ${method}`;
  return [
    ...measured.map(({ name, leastUs, medianUs }) => ({
      ...plain(`${title}: ${name}`, leastUs, ''),
      figure: `${perGigabyte(leastUs)} ms/GB (median ${perGigabyte(medianUs)})`,
    })),
    atMost(`${title}: Latchkey / http-proxy-3, least`, own.leastUs / reference.leastUs, ratioMax, ''),
    plain(`${title}: Latchkey / http-proxy-3, median`, own.medianUs / reference.medianUs, ''),
    ...missing.map(({ name, why }) => skipped(`${title}: ${name}`, why)),
  ];
}

/** CPU milliseconds per 10⁹ bytes. */
function perGigabyte(usPerTransfer: number): string {
  return ((usPerTransfer / 1_000) * (1e9 / transferBytes)).toFixed(0);
}
