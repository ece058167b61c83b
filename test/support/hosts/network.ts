/** Hosts of one test: network namespaces of this machine that share a bridge, and the links between them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram, requireProgram } from '../requirement.ts';
import type { Requirement } from '../requirement.ts';
import { isAlive } from './is-alive.ts';
import { sendSignal } from './send-signal.ts';

/** How packets between two hosts fare, seen from the first: `out` loses what it sends, `in` what it would get. */
export type Cut = 'both' | 'out' | 'in' | 'lossy';

/** Namespaces that see each other and nothing else. */
export interface Network {
  /** The address of a host, in a range that exists within the namespaces alone. */
  address(host: string): string;
  /** The command and arguments that run a program on that host, with the same process id. */
  on(host: string, command: string, ...args: readonly string[]): readonly [string, ...string[]];
  /** Cuts the links between a host and others, silently, in place of every cut made at this host before. */
  cut(host: string, peers: readonly string[], how: Cut): Promise<void>;
  /** Heals what was cut at this host. */
  heal(host: string): Promise<void>;
  /** Removes all namespaces; a second call does nothing. What runs in them has to have ended. */
  remove(): Promise<void>;
}

/** Every namespace of ours begins so; the id of the process that made it follows. */
const prefix = 'lkhosts';
/** Packets in a hundred that a lossy link loses, each way: TCP then waits for up to seconds. */
const lossPercent = 35;

const call = promisify(execFile);
const ip = (...args: readonly string[]): Promise<unknown> => call('ip', args);

/** Runs a test only where namespaces can be made; a named skip otherwise, and an error with `CI=true`. */
export async function requireHosts(): Promise<Requirement> {
  const programs = requireProgram('ip', 'nft');
  if (programs.skip !== false) return programs;
  const probe = `${prefix}${process.pid}-probe`;
  try {
    await ip('netns', 'add', probe);
    await ip('netns', 'exec', probe, findProgram('nft') ?? 'nft', 'add', 'table', 'ip', 'probe');
    return { skip: false };
  } catch (error) {
    const reason = `network namespaces cannot be made here (root may): ${String(error)}`;
    if (process.env['CI'] === 'true') throw new Error(`CI=true, and ${reason}`, { cause: error });
    return { skip: reason };
  } finally {
    await ip('netns', 'del', probe).catch(() => undefined);
  }
}

/** Makes a namespace for each host, all on one bridge that stands in a namespace of its own. */
export async function makeNetwork(hosts: readonly string[]): Promise<Network> {
  await removeLeftovers();
  const name = (host: string): string => `${prefix}${process.pid}-${host}`;
  const address = (host: string): string => `10.77.0.${hosts.indexOf(host) + 11}`;
  const made: string[] = [];
  const make = async (host: string): Promise<void> => {
    await ip('netns', 'add', name(host));
    made.push(name(host));
    await ip('-n', name(host), 'link', 'set', 'dev', 'lo', 'up');
  };
  const remove = async (): Promise<void> => {
    for (const each of made.splice(0)) await ip('netns', 'del', each);
  };
  try {
    await make('switch');
    await ip('-n', name('switch'), 'link', 'add', 'bridge0', 'type', 'bridge');
    await ip('-n', name('switch'), 'link', 'set', 'dev', 'bridge0', 'up');
    for (const host of hosts) {
      await make(host);
      const port = `to-${host}`;
      await ip(
        ...['link', 'add', 'wire0', 'netns', name(host), 'type', 'veth'],
        ...['peer', 'name', port, 'netns', name('switch')],
      );
      await ip('-n', name('switch'), 'link', 'set', 'dev', port, 'master', 'bridge0', 'up');
      await ip('-n', name(host), 'address', 'add', `${address(host)}/24`, 'dev', 'wire0');
      await ip('-n', name(host), 'link', 'set', 'dev', 'wire0', 'up');
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const rule = (host: string, text: string): Promise<unknown> =>
    call('ip', ['netns', 'exec', name(host), 'nft', `add table ip cut; delete table ip cut; ${text}`]);
  return {
    address,
    on: (host, command, ...args) => ['ip', 'netns', 'exec', name(host), command, ...args],
    cut: async (host, peers, how) => void (await rule(host, cutRules(peers.map(address), how))),
    heal: async (host) => void (await rule(host, '')),
    remove,
  };
}

function cutRules(addresses: readonly string[], how: Cut): string {
  const set = `{ ${addresses.join(', ')} }`;
  const drop = how === 'lossy' ? `numgen random mod 100 < ${lossPercent} drop` : 'drop';
  const chain = (hook: 'output' | 'input', side: 'daddr' | 'saddr'): string =>
    `add chain ip cut ${hook} { type filter hook ${hook} priority 0; }; add rule ip cut ${hook} ip ${side} ${set} ${drop}; `;
  return [
    'add table ip cut; ',
    how === 'in' ? '' : chain('output', 'daddr'),
    how === 'out' ? '' : chain('input', 'saddr'),
  ].join('');
}

/** What a run that was killed left behind; the namespaces of one that lives are not touched. */
async function removeLeftovers(): Promise<void> {
  const { stdout } = await call('ip', ['netns', 'list']);
  for (const [whole, pid] of stdout.matchAll(new RegExp(`^${prefix}(\\d+)-\\S+`, 'gm'))) {
    if (isAlive(Number(pid))) continue;
    const { stdout: running } = await call('ip', ['netns', 'pids', whole]);
    for (const left of running.split('\n').filter(Boolean)) sendSignal(Number(left), 'SIGKILL');
    await ip('netns', 'del', whole).catch(() => undefined);
  }
}
