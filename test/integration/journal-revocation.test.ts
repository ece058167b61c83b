import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { openTokenOffice, testPeppers, type TokenOffice } from '../support/token-office.ts';
import {
  machineMs,
  startVerifier,
  type TokenReport,
  type VerifierProcess,
} from '../support/verifier-process.ts';

describe('two processes on one SQLite file, without Redis', () => {
  let scratch: Scratch;
  let office: TokenOffice;
  let verifier: VerifierProcess;
  before(async () => {
    scratch = await makeScratch('journal-revocation');
    const storePath = scratch.file('latchkey.db');
    office = await openTokenOffice(storePath, null);
    verifier = await startVerifier({ storePath, redis: null, peppers: testPeppers });
  });
  after(async () => {
    await verifier?.stop();
    await office?.close();
    await scratch.remove();
  });

  const reportOf = async (label: string): Promise<TokenReport> => {
    const report = (await verifier.report()).tokens[label];
    assert.ok(report);
    return report;
  };

  /** A token that the other process answers from memory by now. */
  async function tokenInUse() {
    const token = await office.mint('alice');
    await verifier.hammer({ token: token.secret });
    await eventually('answers from memory', async () => ((await reportOf('token')).tiers['l1'] ?? 0) > 20);
    return token;
  }

  async function assertRefusedFrom(returnedAt: number): Promise<void> {
    await eventually(
      'refusals',
      async () => ((await reportOf('token')).lastRefusedBeganAt ?? 0) > returnedAt,
    );
    const { lastVerifiedBeganAt, faults } = await reportOf('token');
    assert.equal(faults, 0);
    const lateMs = (lastVerifiedBeganAt ?? 0) - returnedAt;
    assert.ok(lateMs < 5_000, `still accepted ${lateMs} ms after the revocation returned`);
  }

  test('a revocation in one is honoured by the other', async () => {
    const { id } = await tokenInUse();
    await office.revoke(id);
    await assertRefusedFrom(machineMs());
    assert.equal((await reportOf('token')).reasons['revoked'] !== undefined, true);
  });

  test('disabling a user in one is honoured by the other', async () => {
    await tokenInUse();
    await office.disableUser('alice');
    await assertRefusedFrom(machineMs());
  });

  test('a process that stood still over the revocation honours it when it goes on', async () => {
    const token = await office.mint('bob');
    await verifier.hammer({ token: token.secret });
    await eventually('answers from memory', async () => ((await reportOf('token')).tiers['l1'] ?? 0) > 20);
    verifier.pause();
    await office.revoke(token.id);
    const returnedAt = machineMs();
    verifier.resume();
    await assertRefusedFrom(returnedAt);
  });
});
