import { configureNginx } from '../../test/support/asking-nginx.ts';
import { type AskingPlaces, exampleWith } from '../../test/support/asking-proxy.ts';
import type { Child } from '../../test/support/child-process.ts';
import { freePort } from '../../test/support/free-port.ts';
import { makeScratch } from '../../test/support/scratch.ts';
import { compare, type Measured } from '../compare.ts';
import { startGateway, writeConfig } from '../gateway.ts';
import { nginxMissing } from '../nginx.ts';
import { clientHeaders, type Peer, program, type StartPeer } from '../peers.ts';
import { loadCore, measuredCore, startPinned } from '../pinned.ts';
import { readConfig, scopedPath, seedTokens } from '../seed.ts';
import { atMost, plain, type Row, skipped } from '../table.ts';

const what = 'cached decision through the nginx door';
const budgetUs = 14;
const seconds = 2;
const warmUpRequests = 40_000;

/** What a cached decision costs the gateway when nginx asks for it, by the example that we ship. */
export async function doors(rounds: number): Promise<readonly Row[]> {
  const { measured, missing } = await compare({
    rounds,
    peers: [
      { name: 'with access lines', start: behindNginx(true) },
      { name: 'without access lines', start: behindNginx(false) },
      { name: 'bare node:http that allows everything', start: bareDoor('bare-door') },
      { name: 'bare sockets that allow everything', start: bareDoor('bare-socket-door') },
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
  const [own, quiet, bare, sockets] = measured;
  return [
    ...measured.flatMap(({ name, leastUs, medianUs }, at) => [
      at < 2
        ? atMost(`${what}, ${name}, least`, leastUs, budgetUs, ' µs')
        : plain(`${what}, ${name}, least`, leastUs, ' µs'),
      plain(`${what}, ${name}, median`, medianUs, ' µs'),
    ]),
    ...ratio('with access lines / bare node:http', own, bare),
    ...ratio('without access lines / bare node:http', quiet, bare),
    ...ratio('without access lines / bare sockets', quiet, sockets),
    ...missing.map(({ name, why }) => skipped(`${what}, ${name}`, why)),
  ];
}

/** The gateway alone on the measured core; nginx is with the load, and its time does not count. */
function behindNginx(access: boolean): StartPeer {
  return async ({ scratch, backendPort }) => {
    const missing = nginxMissing('plain');
    if (missing !== null) return { missing };
    const name = access ? 'doors-full' : 'doors-quiet';
    const doorsPort = await freePort();
    const files = await writeConfig(scratch, name, backendPort, {
      log: { access },
      doors: { port: doorsPort, open: ['nginx'] },
    });
    const [token = ''] = await seedTokens(readConfig(files.configFile), 1, 1);
    const gateway = await startGateway(scratch, files);
    return asked(name, gateway, clientHeaders(token), { doorsPort, backendPort });
  };
}

/** In its place a program that allows everything. */
function bareDoor(name: string): StartPeer {
  return async ({ backendPort }) => {
    const missing = nginxMissing('plain');
    if (missing !== null) return { missing };
    const doorsPort = await freePort();
    const args = [program(name), String(doorsPort)];
    const door = startPinned(measuredCore, { label: name, command: process.execPath, args });
    await door.waitForPort(doorsPort, 20_000);
    return asked(name, door, {}, { doorsPort, backendPort });
  };
}

function ratio(which: string, one: Measured | undefined, other: Measured | undefined): readonly Row[] {
  if (one === undefined || other === undefined) return [];
  return [plain(`${what}: ${which}, least`, one.leastUs / other.leastUs, '')];
}

async function asked(
  name: string,
  door: Child,
  headers: Peer['headers'],
  places: AskingPlaces,
): Promise<Peer> {
  const folder = await makeScratch('bench-nginx');
  const { text, port } = await exampleWith('nginx/latchkey.conf', places);
  const { args } = await configureNginx(folder, text);
  const nginx = startPinned(loadCore, { label: 'nginx', command: 'nginx', args });
  await nginx.waitForPort(port);
  return {
    ...{ name, port, headers, pids: [door.pid] },
    async stop() {
      await nginx.stop();
      await door.stop();
      await folder.remove();
    },
  };
}
