import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { WebhookConfig } from '../config/warnings-config.ts';
import type { Clock } from '../core/clock.ts';
import type { WarningChannel } from '../tokens/expiry-warnings.ts';
import type { DueWarning } from '../tokens/warning-store.ts';
import { deliveryId } from './delivery-id.ts';

/** A receiver that takes longer has not got it. */
const deliveryMsDefault = 10_000;

interface WebhookDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Time for the whole exchange. Default 10 s. */
  readonly deliveryMs?: number;
}

/**
 * POSTs warnings as JSON. `Latchkey-Signature: t=SECONDS,v1=HEX` is HMAC-SHA-256 of `SECONDS.BODY` under the secret. Only
 * 2xx counts as received; redirects are not followed, and bodies of answers not read.
 */
export function createWebhookChannel(config: WebhookConfig, deps: WebhookDeps): WarningChannel {
  const { clock, deliveryMs = deliveryMsDefault } = deps;
  return {
    name: 'webhook',
    async deliver(warning) {
      const seconds = Math.floor(clock.now() / 1000);
      const body = JSON.stringify(toEvent(warning));
      const signature = createHmac('sha256', config.secret).update(`${seconds}.${body}`).digest('hex');
      const headers = {
        'Content-Type': 'application/json',
        'Latchkey-Signature': `t=${seconds},v1=${signature}`,
        'User-Agent': 'Latchkey',
      };
      const status = await post(config, headers, body, deliveryMs);
      if (status >= 200 && status < 300) return 'delivered';
      throw new Error(`the webhook answered ${status}`);
    },
  };
}

/** What the receiver is told: no secret, nothing that could be used in place of the token. */
function toEvent(warning: DueWarning): object {
  const { token, owner } = warning.owned;
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  return {
    type: 'token.expires',
    id: deliveryId(warning),
    days: warning.days,
    token: {
      id: token.id,
      name: token.name,
      prefix: token.prefix,
      scopes: token.scopes,
      createdAt: iso(token.createdAt),
      expiresAt: iso(token.expiresAt),
      lastUsedAt: iso(token.lastUsedAt),
      lastUsedClient: token.lastUsedClient,
    },
    user: { id: owner.id, name: owner.name, ...warning.owner },
  };
}

/** Resolves to the status of the answer; a connection of its own, closed behind it. */
function post(
  { url, ca }: WebhookConfig,
  headers: Readonly<Record<string, string>>,
  body: string,
  deliveryMs: number,
): Promise<number> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sending = request(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      agent: false,
      signal: AbortSignal.timeout(deliveryMs),
      ...(ca !== null && { ca }),
    });
    sending.on('error', (error) => {
      const isLate = (error as NodeJS.ErrnoException).code === 'ABORT_ERR';
      reject(isLate ? new Error(`the webhook did not answer within ${deliveryMs} ms`) : error);
    });
    sending.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sending.end(body);
  });
}
