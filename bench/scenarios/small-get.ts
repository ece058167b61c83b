import { compare, type Measured } from '../compare.ts';
import { latchkey, nginx, nodeProxy } from '../peers.ts';
import { scopedPath } from '../seed.ts';
import { atMost, plain, type Row, skipped } from '../table.ts';

const ratioMax = 0.65;
const seconds = 2;
/** What the engine needs to compile the whole path; fewer, and its compiler is what is measured. */
const warmUpRequests = 40_000;

/** 1 KiB GET with a cached, path-scoped token through the whole pipeline, against what else one could use. */
export async function smallGet(rounds: number): Promise<readonly Row[]> {
  const { measured, missing } = await compare({
    rounds,
    peers: [
      { name: 'http-proxy-3, bare', start: nodeProxy('http-proxy-3, bare', 'http-proxy') },
      { name: 'Latchkey', start: latchkey('Latchkey', true) },
      { name: 'Latchkey without access lines', start: latchkey('Latchkey without access lines', false) },
      { name: '@fastify/http-proxy, bare', start: nodeProxy('@fastify/http-proxy, bare', 'fastify-proxy') },
      { name: 'nginx auth_request + Node verifier', start: nginx('nginx auth_request', 'auth-request') },
      { name: 'nginx + Lua token check', start: nginx('nginx + Lua', 'lua') },
      { name: 'nginx, no check', start: nginx('nginx', 'plain') },
    ],
    load: (peer) => ({
      url: `http://127.0.0.1:${peer.port}${scopedPath}`,
      method: 'GET',
      headers: peer.headers,
      connections: 64,
      until: { seconds },
    }),
    warmUp: { requests: warmUpRequests },
    sampleMs: 100,
  });
  const rows = measured.flatMap((each) => costRows(each));
  const [reference, own] = measured as [Measured, Measured];
  return [
    ...rows,
    atMost('1 KiB GET: Latchkey / http-proxy-3, least', own.leastUs / reference.leastUs, ratioMax, ''),
    plain('1 KiB GET: Latchkey / http-proxy-3, median', own.medianUs / reference.medianUs, ''),
    ...missing.map(({ name, why }) => skipped(`1 KiB GET: ${name}`, why)),
  ];
}

function costRows({ name, leastUs, medianUs }: Measured): readonly Row[] {
  return [
    {
      ...plain(`1 KiB GET: ${name}`, leastUs, ''),
      figure: `${leastUs.toFixed(1)} µs (median ${medianUs.toFixed(1)})`,
    },
  ];
}
