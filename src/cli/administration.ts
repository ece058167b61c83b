import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Administration } from '../compose/administration.ts';
import type { AdminKeyId, TokenId } from '../core/ids.ts';
import { storeName } from '../config/store-config.ts';
import { printable } from '../core/printable.ts';
import { isUuid } from '../core/uuid.ts';
import type { UserRecord } from '../identity/user-store.ts';
import type { Users } from '../identity/users.ts';
import type { Log } from '../telemetry/log.ts';
import { isWellFormed } from '../tokens/mint.ts';
import type { Actor } from '../tokens/token-changes.ts';
import { requireCommandConfig } from './command-config.ts';
import type { CommandIo } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** Opens the store that the configuration names, does the work and closes it again. */
export async function administer<T>(
  command: Command,
  io: CommandIo,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const loaded = await requireCommandConfig(command, io, 'optional');
  const { store } = loaded.config;
  const isNew = store.kind === 'sqlite' && !existsSync(store.path);
  const { openAdministration } = await import('../compose/administration.ts');
  const administration = await openAdministration(loaded, io.clock, stderrLog(io));
  // In a wrong folder, or with a wrong --store, an empty answer would look like the truth.
  if (isNew) io.stderr(`latchkey: there was no store yet; made ${printable(storeName(store))}.\n`);
  try {
    return await work(administration);
  } finally {
    await administration.close();
  }
}

/** Who works at this command line, for the audit trail: `cli:` and the name of the system's user. */
export function commandActor(): Actor {
  return { name: `cli:${systemUserName()}`, address: null };
}

/**
 * The user of this name or id.
 * @throws CommandFailure (not found).
 */
export async function requireUser(users: Users, nameOrId: string): Promise<UserRecord> {
  const user = await users.find(nameOrId);
  if (user !== null) return user;
  // A token pasted in the wrong place stays out of logs, and control characters out of terminals.
  const shown = isWellFormed(nameOrId) ? 'of that name, which is a token' : `"${printable(nameOrId)}"`;
  throw new CommandFailure(
    exitCodes.notFound,
    `there is no user ${shown}: \`latchkey user list\` shows them, \`latchkey user add\` makes one.`,
  );
}

/**
 * The id of a token as given on the command line.
 * @throws CommandFailure (usage) where it cannot be one; what was given is not repeated, it may be a token.
 */
export function readTokenId(text: string): TokenId {
  if (isUuid(text)) return text.toLowerCase() as TokenId;
  throw new CommandFailure(exitCodes.usage, 'tokens are named by their id: `latchkey token list` shows it.');
}

/**
 * The id of an admin key as given on the command line.
 * @throws CommandFailure (usage) where it cannot be one; what was given is not repeated, it may be the key.
 */
export function readKeyId(text: string): AdminKeyId {
  if (isUuid(text)) return text.toLowerCase() as AdminKeyId;
  throw new CommandFailure(
    exitCodes.usage,
    'admin keys are named by their id: `latchkey key list` shows it.',
  );
}

/** Warnings of what is opened go to stderr; the rest is for running gateways. */
function stderrLog(io: CommandIo): Log {
  const say = (_fields: unknown, message: string): void => io.stderr(`latchkey: ${message}\n`);
  return { debug: () => undefined, info: () => undefined, warn: say, error: say };
}

function systemUserName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers run under ids that no user list knows.
    return String(process.getuid?.() ?? 'unknown');
  }
}
