import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { postForm } from './post-form.ts';

interface VerifyOptions extends GlobalOptions {
  readonly url: string;
  readonly keyFile: string;
  readonly scope: string;
  readonly route?: string;
  readonly user?: string;
  readonly address?: string;
  readonly pam?: boolean;
}

/** Whose secret is to be verified, and from where. */
interface Login {
  readonly user: string;
  readonly secret: string;
  /** Null where nobody says. */
  readonly address: string | null;
}

/** A login of a person at another server waits for the answer. */
const waitMs = 10_000;

/** What the gateway says of a credential, as far as anything rests on it. */
interface Said {
  readonly active: boolean;
  /** The one spelling of the owner's name. */
  readonly username?: unknown;
}

/**
 * Adds `latchkey verify`: asks a running gateway whether a name and a secret belong together. It ends with 0 where they
 * do and the name is spelled as the gateway has it, and with another code in every other case. It opens no store, so that
 * whoever runs it needs nothing but a key.
 */
export function registerVerify(program: Command, io: CommandIo): void {
  program
    .command('verify')
    .description(
      'ask a running gateway whether a user name and a secret belong together: exit code 0, refused 4',
    )
    .requiredOption('--key-file <file>', 'holds an admin key with the scope verify')
    .option('--url <url>', 'where the gateway is asked', 'http://127.0.0.1:8082/verify')
    .option('--scope <scope>', 'all of this the token must allow: route:NAME:rw, path:/folder/:rw …', '*')
    .option('--route <name>', 'accept the main password where this route does')
    .option('--user <name>', 'the user name; left out, it is the first line of standard input')
    .option('--address <ip>', 'where the client is, for tokens that are bound to networks')
    .option('--pam', 'as pam_exec calls it: PAM_USER, PAM_RHOST, and the secret on standard input')
    .action((_options: unknown, self: Command) => verify(self.optsWithGlobals<VerifyOptions>(), io));
}

async function verify(options: VerifyOptions, io: CommandIo): Promise<void> {
  const url = readUrl(options.url);
  if (options.scope.trim() === '') throw new CommandFailure(exitCodes.usage, noScope);
  const key = readKey(resolve(io.cwd, options.keyFile));
  const input = await io.readStdin();
  const { user, secret, address } = options.pam === true ? pamLogin(io.env, input) : login(options, input);
  const form = new URLSearchParams({ token: secret, username: user, scope: options.scope });
  if (options.route !== undefined) form.set('route', options.route);
  if (address !== null) form.set('address', address);
  const { status, body } = await postForm({ url, bearer: key, form: form.toString(), waitMs });
  const answer = readAnswer(status, body);
  const isMisspelled = answer.active && answer.username !== user;
  const said = isMisspelled ? { active: false } : answer;
  if (options.json === true) io.stdout(`${JSON.stringify(said, null, 2)}\n`);
  if (!said.active) {
    if (options.json !== true) io.stderr(isMisspelled ? misspelled : 'latchkey: refused.\n');
    io.setExitCode(exitCodes.refused);
  }
}

/** To the gateway Alice is alice; to a machine they may be two accounts, and one token must not open both. */
const misspelled =
  'latchkey: refused: the gateway has this user in another spelling, such as capitals; use the one that it shows.\n';

/** A variable of a script that is not set would otherwise let every token in, however narrow. */
const noScope =
  '--scope names no scope: leave it out for tokens with * alone, or name one, such as route:NAME:rw.';

/** PAM runs this with nothing in the environment but what is said here (pam_exec(8)). */
function pamLogin(env: CommandIo['env'], input: string): Login {
  const { PAM_TYPE: type, PAM_USER: user, PAM_RHOST: host = '' } = env;
  if (type !== 'auth') {
    throw new CommandFailure(exitCodes.usage, '--pam is for `auth` lines of PAM: PAM_TYPE is not auth.');
  }
  if (user === undefined || user === '') throw new CommandFailure(exitCodes.usage, 'PAM_USER is missing.');
  // Some releases of pam_exec end the secret with a zero byte. Without `expose_authtok` there is nothing at all.
  const secret = input.replace(/\0$/, '');
  if (input === '' || secret.includes('\0')) {
    throw new CommandFailure(
      exitCodes.usage,
      'standard input is not one secret: give pam_exec the option expose_authtok.',
    );
  }
  return { user, secret: requireSecret(secret), address: isIP(host) === 0 ? null : host };
}

function login({ user, address }: VerifyOptions, input: string): Login {
  const lines = input.replace(/\r?\n$/, '').split(/\r?\n/);
  const wanted = user === undefined ? 2 : 1;
  if (lines.length !== wanted) {
    const form = user === undefined ? 'two lines, user name and secret' : 'one line, the secret';
    throw new CommandFailure(exitCodes.usage, `standard input must be ${form}.`);
  }
  const [name = '', secret = ''] = user === undefined ? lines : [user, ...lines];
  if (name === '') throw new CommandFailure(exitCodes.usage, 'the user name is empty.');
  return { user: name, secret: requireSecret(secret), address: address ?? null };
}

function requireSecret(secret: string): string {
  if (secret === '') throw new CommandFailure(exitCodes.refused, 'refused: the secret is empty.');
  return secret;
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new CommandFailure(exitCodes.usage, '--url must be an http:// or https:// address.');
}

function readKey(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    const advice = '`latchkey key create NAME --scope verify --expires … --quiet` writes one';
    throw new CommandFailure(
      exitCodes.fault,
      `the key file ${file} cannot be read (${why}): ${advice}.`,
      error,
    );
  }
  if (/^[\w-]+$/.test(text)) return text;
  throw new CommandFailure(exitCodes.usage, `the key file ${file} holds no admin key: one line, lka_…`);
}

/** Anything but a clear answer is a fault, never a yes. */
function readAnswer(status: number, body: string): Said {
  if (status === 200) {
    const said = parseJson(body);
    if (typeof said === 'object' && said !== null && 'active' in said && typeof said.active === 'boolean') {
      return said as Said;
    }
    throw new CommandFailure(exitCodes.fault, 'what answers at --url is no gateway: see doors.port.');
  }
  if (status === 401 || status === 403) {
    const advice =
      'make one by `latchkey key create NAME --scope verify --expires …`, and see doors.trusted and --url';
    throw new CommandFailure(exitCodes.fault, `the gateway refuses the admin key (${status}): ${advice}.`);
  }
  if (status === 404 || status === 405 || status === 501) {
    const message = `what answers at --url (${status}) is no gateway, or not at /verify: see doors.port.`;
    throw new CommandFailure(exitCodes.fault, message);
  }
  const said = parseJson(body);
  const detail =
    typeof said === 'object' && said !== null && 'error_description' in said
      ? `: ${String(said.error_description)}`
      : '.';
  throw new CommandFailure(
    status === 400 ? exitCodes.usage : exitCodes.fault,
    `the gateway answered ${status}${detail}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
