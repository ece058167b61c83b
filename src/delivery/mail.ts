import { createTransport } from 'nodemailer';
import type { MailConfig } from '../config/warnings-config.ts';
import { printable } from '../core/printable.ts';
import { checkEmail } from '../identity/user-fields.ts';
import type { WarningChannel } from '../tokens/expiry-warnings.ts';
import type { DueWarning } from '../tokens/warning-store.ts';
import { deliveryId } from './delivery-id.ts';
import { warningMail } from './mail-texts.ts';

/** Silence of the mail server that ends a delivery. */
const silenceMs = 10_000;

/**
 * Mails to the owners of tokens, by SMTP: over TLS, or STARTTLS that must succeed, unless the configuration allows clear
 * text. Each warning has the same Message-ID however often it is sent. `portalUrl` null: mails hold no link.
 */
export function createMailChannel(config: MailConfig, portalUrl: string | null): WarningChannel {
  const { from } = config;
  const url = new URL(config.url);
  const isTls = url.protocol === 'smtps:';
  const transport = createTransport({
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 465 : 587) : Number(url.port),
    secure: isTls,
    requireTLS: !isTls && !config.allowPlaintext,
    ...(config.username !== null && { auth: { user: config.username, pass: config.password ?? '' } }),
    tls: { minVersion: 'TLSv1.2', ...(config.ca !== null && { ca: config.ca }) },
    connectionTimeout: silenceMs,
    greetingTimeout: silenceMs,
    socketTimeout: silenceMs,
    dnsTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name: 'mail',
    async deliver(warning) {
      const to = toMailbox(warning);
      if (to === null) return 'nobody';
      try {
        await transport.sendMail({
          from: from.name === null ? from.address : { name: from.name, address: from.address },
          to,
          ...warningMail(warning, portalUrl),
          messageId: `<${deliveryId(warning)}@${from.address.slice(from.address.indexOf('@') + 1)}>`,
          // RFC 3834: nobody's absence note answers it.
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        return 'delivered';
      } catch (error) {
        if (isRefusedRecipient(error)) return 'nobody';
        throw error;
      }
    },
  };
}

/** One plain address and no more: what is no address is nobody's. */
function toMailbox({ owner, owned }: DueWarning): { readonly name: string; readonly address: string } | null {
  const email = checkEmail(owner.email);
  if ('problem' in email || email.value === null) return null;
  return { name: printable(owner.displayName ?? owned.owner.name), address: email.value };
}

/** The server takes no mail for this address, ever (RFC 5321 section 4.2.1). */
function isRefusedRecipient(error: unknown): boolean {
  const { command, responseCode } = error as { readonly command?: string; readonly responseCode?: number };
  return command === 'RCPT TO' && responseCode !== undefined && responseCode >= 500;
}
