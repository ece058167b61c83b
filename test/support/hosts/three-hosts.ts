/** Three gateways over one store and a Redis with Sentinels, every one on a host of its own, and clients that use them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../child-process.ts';
import { endAll } from '../end-all.ts';
import { eventually } from '../eventually.ts';
import { makeScratch, type Scratch } from '../scratch.ts';
import { type ClientsProcess, startClients } from './clients-process.ts';
import type { GatewayAddress } from './gateway-client.ts';
import { type HostProcess, hostProgram } from './host-process.ts';
import { makeNetwork, type Network } from './network.ts';
import { clearOffClocks } from './off-clock.ts';
import { redisHostNames, type RedisHosts, startRedisHosts } from './redis-hosts.ts';
import { type SharedStore, startSharedStore, storeHostName } from './shared-store.ts';

/** Everything that stands at the beginning of a run. */
export interface ThreeHosts {
  readonly network: Network;
  readonly redis: RedisHosts;
  readonly store: SharedStore;
  /** Gateways first, then the store, then Redis and Sentinels. */
  readonly processes: readonly HostProcess[];
  readonly clients: ClientsProcess;
  /** Where clients write down what they do. */
  readonly historyFile: string;
  /** Ends everything and removes every trace. */
  stop(): Promise<void>;
}

/** The hosts of the gateways. */
export const gatewayHostNames: readonly ['gw1', 'gw2', 'gw3'] = ['gw1', 'gw2', 'gw3'];

const mainFile = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const clockFile = new URL('../set-clock.ts', import.meta.url).href;
const pepper = 'a pepper that three gateways share in a test';
const [port, adminPort, backendPort] = [8080, 8081, 8090];

/** Starts all of it; resolves once clients use it. Nothing is left where it fails. */
export async function startThreeHosts(options: {
  readonly seed: number;
  readonly lives: number;
}): Promise<ThreeHosts> {
  const scratch = await makeScratch('hosts');
  const endings: (() => Promise<unknown>)[] = [() => scratch.remove(), clearOffClocks];
  const stop = (): Promise<void> => endAll(...endings.toReversed());
  try {
    const network = await makeNetwork(['clients', ...gatewayHostNames, storeHostName, ...redisHostNames]);
    endings.push(() => network.remove());
    const keep = (processes: readonly HostProcess[]): void => {
      for (const each of processes) endings.push(() => endProcess(each));
    };
    const [store, redis] = [
      await startSharedStore(network, scratch),
      await startRedisHosts(network, scratch, keep),
    ];
    endings.push(() => store.stop());
    const addresses: GatewayAddress[] = [];
    for (const host of gatewayHostNames)
      addresses.push(await configure(network, scratch, host, store, redis));
    const historyFile = scratch.file('history');
    const clients = await startClients(network, {
      ...options,
      gateways: addresses,
      historyFile,
      backendPort,
    });
    endings.push(() => clients.stop());
    const gateways = addresses.map((address) => gatewayProcess(network, scratch, address, clients));
    keep(gateways);
    const [first, ...others] = gateways;
    await first?.start();
    await Promise.all(others.map((gateway) => gateway.start()));
    await clients.begin(await makeKey(addresses[0]));
    const processes = [...gateways, store.process, ...redis.processes];
    return { network, redis, store, processes, clients, historyFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function configure(
  network: Network,
  scratch: Scratch,
  host: string,
  store: SharedStore,
  redis: RedisHosts,
): Promise<GatewayAddress> {
  const dataDir = scratch.file(host);
  await mkdir(dataDir);
  const configFile = scratch.file(`${host}.yaml`);
  const config = {
    listen: { host: network.address(host), port },
    admin: { host: network.address(host), port: adminPort },
    dataDir,
    store: store.config,
    peppers: [{ id: 'shared', secret: { fromEnv: 'TEST_PEPPER' } }],
    redis: redis.config,
    routes: [
      { name: 'files', match: { path: '/' }, backend: `http://${network.address('clients')}:${backendPort}` },
    ],
  };
  await writeFile(configFile, JSON.stringify(config, null, 2));
  const command = network.on(host, 'env', `TEST_PEPPER=${pepper}`, process.execPath, mainFile);
  return { name: host, host: network.address(host), port, adminPort, command, configFile };
}

function gatewayProcess(
  network: Network,
  scratch: Scratch,
  { name, configFile }: GatewayAddress,
  clients: ClientsProcess,
): HostProcess {
  const file = scratch.file(`${name}.clock`);
  return hostProgram({
    name,
    command: network.on(name, process.execPath, mainFile, 'serve', '--config', configFile),
    env: { NODE_OPTIONS: `--import=${clockFile}`, TEST_CLOCK_FILE: file, TEST_PEPPER: pepper },
    answers: () => clients.isReady(name),
    async setClock(offMs, running) {
      await writeFile(file, String(offMs));
      if (running === null) return;
      const told = (): number => running.stderr().split('clock set off').length;
      const before = told();
      running.signal('SIGUSR2');
      await eventually('the clock to be set', () => told() > before);
    },
  });
}

async function makeKey(gateway: GatewayAddress | undefined): Promise<string> {
  const [command = '', ...args] = gateway?.command ?? [];
  const scopes = ['--scope', 'users', '--scope', 'tokens'];
  const order = ['key', 'create', 'clients', ...scopes, '--expires', 'none', '--quiet'];
  const made = await run({
    label: 'latchkey key create',
    command,
    args: [...args, ...order, '--config', gateway?.configFile ?? ''],
  });
  if (made.code !== 0) throw new Error(`latchkey key create: ${made.stderr}`);
  return made.stdout.trim();
}

async function endProcess(each: HostProcess): Promise<void> {
  if (!each.isRunning()) return;
  await each.resume();
  await each.kill();
}
