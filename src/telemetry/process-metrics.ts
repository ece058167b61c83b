import { readdirSync } from 'node:fs';
import { type Histogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { exposeCounter, exposeGauge } from './exposition.ts';

/** How often the delay of the event loop is looked at; each look wakes the process. */
const loopDelayEveryMs = 100;

/**
 * Registers what is customary for a process and for Node, under the customary names. Everything is read at the
 * scrape: prom-client's own set also observes every garbage collection, which shows under load.
 */
export function exposeProcess(registry: Registry): void {
  const once = (value: () => number) => ({
    *series() {
      yield { labels: [], count: value() };
    },
  });
  const cpu = (part: 'user' | 'system'): number => process.cpuUsage()[part] / 1e6;
  const startedAt = Date.now() / 1_000 - process.uptime();
  exposeCounter(
    registry,
    'process_cpu_user_seconds_total',
    'CPU time spent in this process.',
    [],
    once(() => cpu('user')),
  );
  exposeCounter(
    registry,
    'process_cpu_system_seconds_total',
    'CPU time the kernel spent for it.',
    [],
    once(() => cpu('system')),
  );
  exposeCounter(
    registry,
    'process_cpu_seconds_total',
    'Both together.',
    [],
    once(() => cpu('user') + cpu('system')),
  );
  const gauge = (
    name: string,
    help: string,
    value: () => number | null,
    across: 'sum' | 'min' = 'sum',
  ): void =>
    exposeGauge(registry, name, help, [], across, (set) => {
      const found = value();
      if (found !== null) set([], found);
    });
  gauge(
    'process_start_time_seconds',
    'When the process started, since the Unix epoch.',
    () => startedAt,
    'min',
  );
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_open_fds', 'Open file descriptors.', openFileDescriptors);
  gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'JavaScript heap.', () => process.memoryUsage().heapTotal);
  gauge(
    'nodejs_external_memory_bytes',
    'Buffers and the like outside the heap.',
    () => process.memoryUsage().external,
  );
  exposeLoopDelay(registry);
}

function exposeLoopDelay(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: loopDelayEveryMs });
  delay.enable();
  exposeGauge(
    registry,
    'nodejs_eventloop_lag_seconds',
    'How late the event loop came to a timer since the last scrape.',
    ['quantile'],
    'max',
    (set) => {
      if (delay.count > 0)
        for (const percent of [50, 99, 100]) set([String(percent / 100)], lateSeconds(delay, percent));
      delay.reset();
    },
  );
}

/** The monitor's figures include its own period. */
function lateSeconds(delay: Histogram, percent: number): number {
  return Math.max(delay.percentile(percent) / 1e6 - loopDelayEveryMs, 0) / 1_000;
}

/** Null where the system does not tell. */
function openFileDescriptors(): number | null {
  try {
    // Reading the folder opens one more.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}
