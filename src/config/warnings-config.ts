/** Mails to the owners of tokens. */
export interface MailConfig {
  /** smtp:// or smtps://, host and port only. */
  readonly url: string;
  /** Passwords and mails may cross the network in clear: STARTTLS is used where offered, but not asked for. */
  readonly allowPlaintext: boolean;
  /** PEM text of the authorities trusted; null: the public ones. */
  readonly ca: string | null;
  readonly username: string | null;
  readonly password: string | null;
  /** Who mails come from. */
  readonly from: { readonly name: string | null; readonly address: string };
}

/** Signed JSON for programs. */
export interface WebhookConfig {
  readonly url: string;
  /** Keys the signature. */
  readonly secret: string;
  /** PEM text of the authorities trusted; null: the public ones. */
  readonly ca: string | null;
}

/** Who is told before a token ends. */
export interface WarningsConfig {
  /** Whole days before the end, each once. Default 7 and 1. */
  readonly days: readonly number[];
  /** Null: no mails. */
  readonly mail: MailConfig | null;
  /** Null: no webhook. */
  readonly webhook: WebhookConfig | null;
}
