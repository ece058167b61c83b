import type { Config } from '../config/config.ts';

/**
 * One worker's share of a configuration: what bounds connections and passwords on the whole machine is divided, rounded
 * up. What bounds a single client or token is not: most of them have all their connections at one worker.
 */
export function shareOf(config: Config): Config {
  const { workers, limits } = config;
  const part = (whole: number): number => Math.ceil(whole / workers);
  return {
    ...config,
    limits: {
      ...limits,
      connections: part(limits.connections),
      backendConnections: part(limits.backendConnections),
      passwordConcurrency: part(limits.passwordConcurrency),
      passwordQueue: part(limits.passwordQueue),
    },
  };
}
