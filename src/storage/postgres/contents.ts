import { type PostgresConfig, storeName } from '../../config/store-config.ts';
import type { ContentsView, Occupancy, StoreContents } from '../../contents/store-contents.ts';
import { tables } from '../../contents/tables.ts';
import type { Clock } from '../../core/clock.ts';
import type { RandomBytes } from '../../core/random.ts';
import { fillPostgres } from './contents-filling.ts';
import { connectPatiently } from './contents-session.ts';
import { fixMoment, viewOf } from './contents-view.ts';
import { assertUsable, postgresSchemaVersion, type Standing, standingOf } from './migrations.ts';
import { storeFault, toFault } from './postgres-fault.ts';
import type { Session } from './session.ts';
import { assertFinished, unfinishedOf } from './unfinished.ts';

/** Everything in one PostgreSQL database. */
export function createPostgresContents(
  config: PostgresConfig,
  clock: Clock,
  randomBytes: RandomBytes,
): StoreContents {
  return {
    place: storeName(config),
    view: () => viewDatabase(config),
    occupancy: () => occupancyOf(config),
    fill: (realm, mode) => fillPostgres({ config, clock, randomBytes }, realm, mode),
  };
}

async function viewDatabase(config: PostgresConfig): Promise<ContentsView> {
  const name = storeName(config);
  const session = await connectPatiently(config);
  try {
    await fixMoment(session);
    const { realm } = assertCurrent(await standingOf(session), name);
    await assertFinished(session, name);
    return viewOf(session, realm, name);
  } catch (error) {
    session.breakOff();
    throw toFault(error, name);
  }
}

/** Whoever only reads a store changes nothing in it, so an older one is not brought up to date here. */
function assertCurrent(standing: Standing, name: string): NonNullable<Standing['ours']> {
  assertUsable(standing, name);
  const { ours } = standing;
  if (ours === null) throw storeFault(name, 'is empty: there is no store in this database; check its name.');
  if (ours.version === postgresSchemaVersion) return ours;
  throw storeFault(
    name,
    `has schema ${ours.version}, and this Latchkey reads schema ${postgresSchemaVersion}: use the version that wrote ` +
      'it, or bring it up to date first, which any other command of this one does (`latchkey user list`).',
  );
}

async function occupancyOf(config: PostgresConfig): Promise<Occupancy> {
  const name = storeName(config);
  const session = await connectPatiently(config);
  try {
    await fixMoment(session);
    const standing = await standingOf(session);
    assertUsable(standing, name);
    return standing.ours === null
      ? { kind: 'empty', realm: null }
      : await occupancyOfStore(session, standing.ours);
  } catch (error) {
    throw toFault(error, name);
  } finally {
    session.breakOff();
  }
}

async function occupancyOfStore(
  session: Session,
  { realm }: NonNullable<Standing['ours']>,
): Promise<Occupancy> {
  const unfinished = await unfinishedOf(session, 'seen');
  if (unfinished !== null) return { kind: 'unfinished', realm: unfinished.realm };
  for (const { name } of tables) {
    // An older store lacks some of the tables.
    const { rows } = await session.query<{ known: string | null }>('SELECT to_regclass($1) AS known', [name]);
    if (rows[0]?.known === null) continue;
    const { rowCount } = await session.query(`SELECT 1 FROM ${name} LIMIT 1`);
    if (rowCount === 1) return { kind: 'full', realm, table: name };
  }
  return { kind: 'empty', realm };
}
