import { isLoopback } from './sign-in-addresses.ts';
import type { KeyPath } from './problem.ts';
import type { Parsed } from './quantities.ts';
import type { SecretReference } from './schema-parts.ts';
import { checkCertificates, checkPassword, checkPepper } from './secrets.ts';
import type { MailConfig, WarningsConfig, WebhookConfig } from './warnings-config.ts';
import type { WrittenWarnings } from './warnings-schema.ts';

type Read = (reference: SecretReference, path: KeyPath, check: (secret: string) => Parsed<string>) => string;

/** Reads the secrets of `warnings`. */
export function resolveWarnings({ days, mail, webhook }: WrittenWarnings, read: Read): WarningsConfig {
  return { days, mail: mail && resolveMail(mail, read), webhook: webhook && resolveWebhook(webhook, read) };
}

function resolveMail(mail: NonNullable<WrittenWarnings['mail']>, read: Read): MailConfig {
  const path = ['warnings', 'mail'];
  return {
    ...mail,
    allowPlaintext: mail.allowPlaintext || isLoopback(new URL(mail.url).hostname),
    password: mail.password && read(mail.password, [...path, 'password'], checkPassword),
    ca: mail.ca && read(mail.ca, [...path, 'ca'], checkCertificates),
  };
}

function resolveWebhook(
  { url, secret, ca }: NonNullable<WrittenWarnings['webhook']>,
  read: Read,
): WebhookConfig {
  const path = ['warnings', 'webhook'];
  return {
    url,
    secret: read(secret, [...path, 'secret'], checkPepper),
    ca: ca && read(ca, [...path, 'ca'], checkCertificates),
  };
}
