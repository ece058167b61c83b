import { z } from 'zod';
import type { Parsed } from './quantities.ts';
import { leaf, optional, secret, type SecretReference, wholeNumber } from './schema-parts.ts';
import { parseMailbox, parseSmtpUrl, parseWebhookUrl } from './warnings-addresses.ts';
import type { MailConfig, WarningsConfig, WebhookConfig } from './warnings-config.ts';

/** `warnings` as written: secrets not yet read. */
export interface WrittenWarnings extends Pick<WarningsConfig, 'days'> {
  readonly mail:
    | (Omit<MailConfig, 'password' | 'ca'> & {
        readonly password: SecretReference | null;
        readonly ca: SecretReference | null;
      })
    | null;
  readonly webhook:
    | (Omit<WebhookConfig, 'secret' | 'ca'> & {
        readonly secret: SecretReference;
        readonly allowPlaintext: boolean;
        readonly ca: SecretReference | null;
      })
    | null;
}

const certificates = optional(
  secret('PEM certificates of the authority that signed its certificate; left out, the public ones.'),
);

const mailSchema = z.strictObject({
  url: leaf(parseSmtpUrl, 'smtp://HOST (with STARTTLS) or smtps://HOST, with a port where it is another.'),
  allowPlaintext: z.boolean().default(false).meta({
    description: 'Send without TLS where the server offers none; on this machine that is allowed anyway.',
  }),
  ca: certificates,
  username: optional(leaf(parseLine, 'Account at the mail server; left out, none.')),
  password: optional(secret('Its password.')),
  from: leaf(parseMailbox, 'Who mails come from: latchkey@example.org, or Latchkey <latchkey@example.org>.'),
});

const webhookSchema = z.strictObject({
  url: leaf(parseWebhookUrl, 'https:// URL that takes a POST; http:// on this machine.'),
  allowPlaintext: z.boolean().default(false).meta({
    description: 'Let names and mail addresses cross the network in clear: http:// to another machine.',
  }),
  secret: secret('Keys the signature of each request; 32 bytes or more.'),
  ca: certificates,
});

const dayError = 'must be whole days from 1 to 365, each once, such as [7, 1]';

/** `warnings:` of the configuration file. */
export const warningsSchema: z.ZodType<WrittenWarnings> = z.strictObject({
  days: z
    .array(wholeNumber('Days before the end.', [1, 365]))
    .min(1, { error: dayError })
    .refine((days) => new Set(days).size === days.length, { error: dayError })
    .default([7, 1])
    .meta({ description: 'How many days before the end of a token somebody is told.' }),
  mail: optional(mailSchema.meta({ description: 'Mails to the owners; left out, none.' })),
  webhook: optional(
    webhookSchema.meta({ description: 'Signed JSON for a program of yours; left out, none.' }),
  ),
});

function parseLine(text: string): Parsed<string> {
  return /^[^\p{Cc}]{1,200}$/u.test(text) ? { value: text } : { wrong: 'must be a text of one line' };
}
