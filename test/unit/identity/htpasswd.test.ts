import assert from 'node:assert/strict';
import { appendFile, copyFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { systemRandom } from '../../../src/core/random.ts';
import { Fault } from '../../../src/core/errors.ts';
import type { PasswordSource } from '../../../src/identity/source.ts';
import { createHtpasswdSource } from '../../../src/identity/sources/htpasswd.ts';
import { hashProblem, matchesHash } from '../../../src/identity/sources/htpasswd-hash.ts';
import { run } from '../../support/child-process.ts';
import { requireProgram } from '../../support/requirement.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

/** What Apache's own program writes for a password, without the name. */
async function htpasswd(kind: readonly string[], password: string): Promise<string> {
  const args = ['-n', '-i', ...kind, 'x'];
  const done = await run({ label: 'htpasswd', command: 'htpasswd', args, input: password });
  if (done.code !== 0) throw new Error(done.stderr);
  return done.stdout.trim().slice('x:'.length);
}

const passwords = [
  'a',
  'secret',
  'pässwörd €',
  ' spaces ',
  'x'.repeat(15),
  'x'.repeat(16),
  'y'.repeat(71),
  '$:\\"',
];

describe('hashes of htpasswd', requireProgram('htpasswd'), () => {
  for (const [name, kind] of [
    ['bcrypt', ['-B', '-C', '4']],
    ['apr1', ['-m']],
    ['SHA', ['-s']],
  ] as const) {
    test(`${name} are matched by their own password alone`, async () => {
      for (const password of passwords) {
        const hash = await htpasswd(kind, password);
        assert.equal(hashProblem(hash), null);
        assert.equal(matchesHash(hash, password), true, password);
        for (const other of ['', `${password}x`, password.slice(1), password.toUpperCase()]) {
          if (other !== password) assert.equal(matchesHash(hash, other), false, `${password} and ${other}`);
        }
      }
    });
  }

  test('of plain text, crypt and anything else are refused, with what to do instead', async () => {
    for (const hash of [
      await htpasswd(['-p'], 'secret'),
      await htpasswd(['-d'], 'secret'),
      '$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.',
      '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
      '{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
      '{SHA}secret',
      '',
      'secret',
    ]) {
      assert.match(hashProblem(hash) ?? '', /set it again with htpasswd -B/, hash);
      assert.equal(matchesHash(hash, 'secret'), false, hash);
    }
    assert.match(hashProblem(`$2y$31$${'a'.repeat(53)}`) ?? '', /cost is 31/);
  });

  test('by bcrypt take no password longer than bcrypt looks at', async () => {
    const hash = await htpasswd(['-B', '-C', '4'], 'z'.repeat(72));
    assert.equal(matchesHash(hash, 'z'.repeat(72)), true);
    assert.equal(matchesHash(hash, 'z'.repeat(73)), false);
  });
});

describe('users of an htpasswd file', requireProgram('htpasswd'), () => {
  let scratch: Scratch;
  let source: PasswordSource;
  let file: string;
  const clock = { now: () => Date.now() };
  const entries: Record<string, string> = {};
  before(async () => {
    scratch = await makeScratch('htpasswd');
    file = scratch.file('users');
    entries['alice'] = await htpasswd(['-m'], 'first');
    entries['second'] = await htpasswd(['-s'], 'second');
    entries['plain'] = 'plain';
    source = createHtpasswdSource({
      config: { kind: 'htpasswd', name: 'staff', file },
      ...{ clock, randomBytes: systemRandom },
    });
  });
  after(async () => {
    await source.close();
    await scratch.remove();
  });
  beforeEach(() =>
    writeFile(file, `# staff\n\nAlice:${entries['alice']}\r\nplain:plain:more\n:nobody\nbroken\n`),
  );

  const kind = async (name: string, password: string) => (await source.check(name, password)).kind;
  /** Long ago, as files mostly are. */
  const settle = () => utimes(file, 1_000, 1_000);

  test('come in under the name in the file, in any spelling', async () => {
    const verdict = await source.check('ALICE', 'first');
    assert.deepEqual(verdict, {
      kind: 'known',
      identity: {
        ...{ subject: 'alice', userName: 'Alice', displayName: null, email: null },
        ...{ isAdmin: null, grant: null, signOut: null },
      },
    });
    assert.equal(await kind('alice', 'first'), 'known');
  });

  test('do not come in otherwise', async () => {
    for (const [name, password] of [
      ['alice', 'wrong'],
      ['alice', ''],
      ['bob', 'first'],
      ['', 'nobody'],
      ['broken', ''],
      ['plain', 'plain'],
      ['# staff', ''],
      ['alice:', 'first'],
    ] as const) {
      assert.equal(await kind(name, password), 'refused', name);
    }
    const verdict = await source.check('plain', 'plain');
    assert.match(verdict.kind === 'refused' ? verdict.reason : '', /plain text, crypt/);
  });

  test('come in by the first line of their name, as with Apache', async () => {
    await appendFile(file, `alice:${entries['second']}\n`);
    assert.deepEqual([await kind('alice', 'first'), await kind('alice', 'second')], ['known', 'refused']);
  });

  test('have the new password as soon as it is in the file, however it got there', async () => {
    const changed = `alice:${entries['second']}\n`;
    const ways: readonly (() => Promise<void>)[] = [
      () => writeFile(file, changed),
      async () => {
        await writeFile(scratch.file('next'), changed);
        await rename(scratch.file('next'), file);
      },
      async () => {
        // Of the same size and time of change as before: only the system's own mark tells them apart.
        const padded = `alice:${entries['alice']}\n`;
        await writeFile(file, padded);
        await settle();
        assert.equal(await kind('alice', 'first'), 'known');
        await writeFile(
          scratch.file('next'),
          `${changed}#${' '.repeat(padded.length - changed.length - 2)}\n`,
        );
        await copyFile(scratch.file('next'), file);
        await settle();
      },
    ];
    for (const change of ways) {
      assert.equal(await kind('alice', 'first'), 'known');
      await change();
      assert.deepEqual([await kind('alice', 'first'), await kind('alice', 'second')], ['refused', 'known']);
      await writeFile(file, `Alice:${entries['alice']}\n`);
    }
  });

  test('stand as long as they are in the file, and are gone once it has rested without them', async () => {
    const alice = { subject: 'alice', grant: null };
    assert.deepEqual(await source.standing(alice), { kind: 'stands' });
    // As it looks while a program writes it anew.
    await writeFile(file, '');
    assert.deepEqual(await source.standing(alice), { kind: 'unknown' });
    const later = createHtpasswdSource({
      config: { kind: 'htpasswd', name: 'staff', file },
      ...{ clock: { now: () => Date.now() + 10_000 }, randomBytes: systemRandom },
    });
    assert.deepEqual(await later.standing(alice), { kind: 'gone' });
    await later.close();
  });

  test('cannot be asked where the file is missing, which is no refusal', async () => {
    await rm(file);
    await assert.rejects(
      source.check('alice', 'first'),
      (error) =>
        error instanceof Fault && error.code === 'sign_in_unavailable' && error.message.includes(file),
    );
    assert.deepEqual(await source.standing({ subject: 'alice', grant: null }), { kind: 'unknown' });
  });

  test('are not hashed again for a password that was right, until their line changes', async () => {
    const dear = await htpasswd(['-B', '-C', '5'], 'dear');
    await writeFile(file, `carol:${dear}\n`);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => kind('carol', 'wrong').catch(() => 'busy')),
    );
    assert.ok(answers.includes('busy'), 'a storm of wrong ones has to wait its turn');
    assert.equal(await kind('carol', 'dear'), 'known');
    const [known, storm] = [
      Array.from({ length: 100 }, () => kind('carol', 'dear')),
      Array.from({ length: 64 }, () => kind('carol', 'wrong')),
    ];
    assert.deepEqual(new Set(await Promise.all(known)), new Set(['known']));
    await Promise.all(storm);
  });
});
