import { configureNginx } from '../../test/support/asking-nginx.ts';
import { exampleWith } from '../../test/support/asking-proxy.ts';
import { freePort } from '../../test/support/free-port.ts';
import { makeScratch } from '../../test/support/scratch.ts';
import { compare } from '../compare.ts';
import { startGateway, writeConfig } from '../gateway.ts';
import { nginxMissing } from '../nginx.ts';
import { clientHeaders, type StartPeer } from '../peers.ts';
import { loadCore, startPinned } from '../pinned.ts';
import { readConfig, scopedPath, seedTokens } from '../seed.ts';
import { atMost, plain, type Row, skipped } from '../table.ts';

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
  return [
    ...measured.flatMap(({ name, leastUs, medianUs }) => [
      atMost(`cached decision through the nginx door, ${name}, least`, leastUs, budgetUs, ' µs'),
      plain(`cached decision through the nginx door, ${name}, median`, medianUs, ' µs'),
    ]),
    ...missing.map(({ name, why }) => skipped(`cached decision through the nginx door, ${name}`, why)),
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
    const folder = await makeScratch('bench-nginx');
    const { text, port } = await exampleWith('nginx/latchkey.conf', { doorsPort, backendPort });
    const { args } = await configureNginx(folder, text);
    const nginx = startPinned(loadCore, { label: 'nginx', command: 'nginx', args });
    await nginx.waitForPort(port);
    return {
      name,
      port,
      pids: [gateway.pid],
      headers: clientHeaders(token),
      async stop() {
        await nginx.stop();
        await gateway.stop();
        await folder.remove();
      },
    };
  };
}
