/** Breaks one thing after the other, and mends it. */
import { setTimeout as delay } from 'node:timers/promises';
import { machineMs } from '../verifier-process.ts';
import type { FaultEvent } from './history.ts';
import { canPutClocksOff } from './off-clock.ts';
import { type Fault, nameFault, type Parts, type Planned, schedule } from './schedule.ts';
import { gatewayHostNames, type ThreeHosts } from './three-hosts.ts';
import { redisHostNames } from './redis-hosts.ts';
import { storeHostName } from './shared-store.ts';

/** How a run is broken. */
export interface DriverOptions {
  readonly seed: number;
  readonly forMs: number;
  /** From the end of one fault to the next. */
  readonly calmMs: number;
  /** Default: everything that can be broken, in the order of the seed. */
  readonly planned?: Iterable<Planned>;
  /** Told of each fault as it begins. */
  readonly tell?: (text: string) => void;
}

/** What there is to break. */
export function partsOf({ processes }: ThreeHosts): Parts {
  const sentinels = processes.map(({ name }) => name).filter((name) => name.startsWith('sentinel'));
  const others = processes.map(({ name }) => name).filter((name) => !name.startsWith('gw'));
  return {
    gateways: gatewayHostNames,
    store: storeHostName,
    redis: redisHostNames,
    sentinels,
    clocks: [...gatewayHostNames, ...(canPutClocksOff ? others : [])],
  };
}

/** Breaks and mends until the time is over; resolves to what was broken, when everything is whole. */
export async function drive(hosts: ThreeHosts, options: DriverOptions): Promise<readonly FaultEvent[]> {
  const events: FaultEvent[] = [];
  const until = performance.now() + options.forMs;
  await delay(options.calmMs);
  for (const { fault, holdMs } of options.planned ?? schedule(options.seed, partsOf(hosts))) {
    if (performance.now() + holdMs + options.calmMs > until) break;
    const { what, target } = nameFault(fault);
    options.tell?.(`${what}: ${target}, ${holdMs} ms`);
    hosts.clients.broken();
    const startedAt = machineMs();
    await inflict(hosts, fault, holdMs);
    events.push({ kind: 'fault', what, target, startedAt, endedAt: machineMs() });
    await delay(options.calmMs);
  }
  return events;
}

async function inflict(hosts: ThreeHosts, fault: Fault, holdMs: number): Promise<void> {
  if (fault.what === 'cut') {
    await hosts.network.cut(fault.from, fault.to, fault.how);
    await delay(holdMs);
    return hosts.network.heal(fault.from);
  }
  const name = fault.process === 'master' ? await hosts.redis.master() : fault.process;
  const broken = hosts.processes.find((each) => each.name === name);
  if (broken === undefined) throw new Error(`there is no process ${name}`);
  switch (fault.what) {
    case 'kill':
      await broken.kill();
      await delay(holdMs);
      return broken.start();
    case 'restart':
      await broken.stop();
      return broken.start();
    case 'pause':
      await broken.pause();
      await delay(holdMs);
      return broken.resume();
    case 'set clock':
      await broken.setClock(fault.offMs);
      await delay(holdMs);
      return broken.setClock(0);
    default:
      return fault satisfies never;
  }
}
