import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { createExpiryWarnings, type ExpiryWarnings, type WarningChannel } from '../tokens/expiry-warnings.ts';
import type { Ground } from './ground.ts';
import type { OpenedStore } from './store.ts';

const lookEveryMs = 60_000;
const stopMsMax = 5_000;

/**
 * At once and then once a minute, warns of tokens that end soon, where the configuration says whom. Returns what stops
 * it, which resolves when deliveries under way have ended, after 5 s at most.
 */
export async function startWarnings(
  { config, clock, log }: Pick<Ground, 'config' | 'clock' | 'log'>,
  store: Pick<OpenedStore, 'warnings'>,
): Promise<() => Promise<void>> {
  const channels = await openChannels(config, clock);
  const { days } = config.warnings;
  const stops = channels.map((channel) => {
    const warnings = createExpiryWarnings({ store: store.warnings, channel, days, clock, log });
    return startLooking(warnings, log);
  });
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** Channels do not wait for each other: one may be slow or dead. */
function startLooking(warnings: ExpiryWarnings, log: Ground['log']): () => Promise<void> {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    try {
      const sent = await warnings.send(stopping.signal);
      if (sent > 0) log.info({ sent }, 'expiry warnings sent');
    } catch (error) {
      log.warn({ error }, 'expiry warnings could not be looked for; the next minute tries again');
    }
    running = null;
  };
  const lookUnlessLooking = (): void => {
    running ??= look();
  };
  const timer = setInterval(lookUnlessLooking, lookEveryMs).unref();
  lookUnlessLooking();
  return async () => {
    clearInterval(timer);
    stopping.abort();
    if (running === null) return;
    const ended = new AbortController();
    const patience = delay(stopMsMax, undefined, { signal: ended.signal }).catch(() => undefined);
    await Promise.race([running, patience]);
    ended.abort();
  };
}

/** Loads what sends mail only where mail is sent. */
async function openChannels(
  { warnings, portal }: Pick<Config, 'warnings' | 'portal'>,
  clock: Ground['clock'],
): Promise<readonly WarningChannel[]> {
  const channels: WarningChannel[] = [];
  if (warnings.mail !== null) {
    const { createMailChannel } = await import('../delivery/mail.ts');
    channels.push(createMailChannel(warnings.mail, portal.url));
  }
  if (warnings.webhook !== null) {
    const { createWebhookChannel } = await import('../delivery/webhook.ts');
    channels.push(createWebhookChannel(warnings.webhook, { clock }));
  }
  return channels;
}
