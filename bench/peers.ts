import { fileURLToPath } from 'node:url';
import type { Child } from '../test/support/child-process.ts';
import { freePort } from '../test/support/free-port.ts';
import type { Scratch } from '../test/support/scratch.ts';
import { startGateway, writeConfig } from './gateway.ts';
import { configureNginx, type NginxKind, nginxMissing } from './nginx.ts';
import { loadCore, measuredCore, startPinned } from './pinned.ts';
import { readConfig, seedTokens, userName } from './seed.ts';

/** Something that stands between load and backend. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  /** All processes whose time counts. */
  readonly pids: readonly number[];
  /** What every request carries. */
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** What a peer is built around. */
export interface Surroundings {
  readonly scratch: Scratch;
  readonly backendPort: number;
}

/** Builds a peer, or says why it cannot be had here. */
export type StartPeer = (around: Surroundings) => Promise<Peer | { readonly missing: string }>;

/** Stands in for the token where a peer only carries it. */
const someToken = 'lk_abcdefghijklmnopqrstuvwxyz0123456789ABCDEF';

/** Headers as a syncing client sends them. */
export function clientHeaders(token: string): Readonly<Record<string, string>> {
  return {
    Authorization: basic(token),
    'User-Agent': 'rclone/v1.60.1',
    Accept: '*/*',
    'Accept-Encoding': 'gzip',
  };
}

function basic(token: string): string {
  return `Basic ${Buffer.from(`${userName}:${token}`).toString('base64')}`;
}

/** Path of a program beside this file. */
export function program(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
}

/** Starts the backend that all peers share; resolves to its port. */
export async function startBackend(): Promise<{ readonly port: number; readonly child: Child }> {
  const port = await freePort();
  const child = await startNode(loadCore, 'backend', port, []);
  return { port, child };
}

/** The product through its whole pipeline, with or without access lines. */
export function latchkey(name: string, access: boolean): StartPeer {
  return async ({ scratch, backendPort }) => {
    const files = await writeConfig(scratch, access ? 'full' : 'quiet', backendPort, { log: { access } });
    const [token = ''] = await seedTokens(readConfig(files.configFile), 1, 1);
    const child = await startGateway(scratch, files);
    return {
      name,
      port: files.port,
      pids: [child.pid],
      headers: clientHeaders(token),
      stop: async () => void (await child.stop()),
    };
  };
}

/** A bare proxy written in Node. */
export function nodeProxy(name: string, file: 'http-proxy' | 'fastify-proxy'): StartPeer {
  return async ({ backendPort }) => {
    const port = await freePort();
    const child = await startNode(measuredCore, file, port, [String(backendPort)]);
    return {
      name,
      port,
      pids: [child.pid],
      headers: clientHeaders(someToken),
      stop: async () => void (await child.stop()),
    };
  };
}

/** nginx, alone or with one of its ways to check a token. */
export function nginx(name: string, kind: NginxKind): StartPeer {
  return async ({ scratch, backendPort }) => {
    const missing = nginxMissing(kind);
    if (missing !== null) return { missing };
    const [port, verifierPort] = [await freePort(), await freePort()];
    const children: Child[] = [];
    if (kind === 'auth-request') {
      children.push(await startNode(measuredCore, 'token-verifier', verifierPort, [basic(someToken)]));
    }
    const args = await configureNginx(scratch, { kind, port, backendPort, verifierPort, token: someToken });
    const child = startPinned(measuredCore, { label: name, command: 'nginx', args });
    children.push(child);
    await child.waitForPort(port);
    return {
      name,
      port,
      pids: children.map(({ pid }) => pid),
      headers: clientHeaders(someToken),
      stop: async () => void (await Promise.all(children.map((each) => each.stop()))),
    };
  };
}

async function startNode(core: number, name: string, port: number, args: readonly string[]): Promise<Child> {
  const child = startPinned(core, {
    label: name,
    command: process.execPath,
    args: [program(name), String(port), ...args],
  });
  await child.waitForPort(port, 20_000);
  return child;
}
