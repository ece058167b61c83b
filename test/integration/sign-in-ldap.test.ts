import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { LdapConfig, LdapGroupsConfig } from '../../src/config/sign-in-config.ts';
import { Fault } from '../../src/core/errors.ts';
import type { SourceVerdict } from '../../src/identity/source.ts';
import { createLdapSource } from '../../src/identity/sources/ldap.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { browser, openSignInWorld, type SignInWorld } from '../support/sign-in-world.ts';
import { directoryBase, groupDn, personDn, type Slapd, startSlapd } from '../support/slapd.ts';
import { type TcpProxy, startTcpProxy } from '../support/tcp-proxy.ts';
import { tester } from '../support/token-world.ts';

const people = [
  { uid: 'Ada', password: 'the password of ada', displayName: 'Ada Lovelace', mail: 'ada@example.org' },
  { uid: 'bob', password: 'the password of bob' },
  { uid: 'cy(n)*', password: 'the password of cy' },
  { uid: 'Ünal', password: 'pässwörd' },
] as const;

const noGroups: LdapGroupsConfig = {
  ...{ attribute: 'memberOf', baseDn: null, filter: '(member={dn})', allow: [], admin: [] },
};

describe('signing in by a directory', requireProgram('slapd', 'ldapmodify', 'openssl'), () => {
  let slapd: Slapd;
  let scratch: Scratch;
  let world: SignInWorld;
  before(async () => {
    slapd = await startSlapd(people, { staff: ['Ada', 'bob'], admins: ['Ada'] });
    scratch = await makeScratch('ldap');
    world = await openSignInWorld({
      path: scratch.file('latchkey.db'),
      ways: [{ kind: 'local' }, createLdapSource(slapd.config())],
    });
  });
  after(async () => {
    await world.close();
    await slapd.stop();
    await scratch.remove();
  });

  const using = async <T>(changes: Partial<LdapConfig>, work: (source: Source) => Promise<T>): Promise<T> => {
    const source = createLdapSource(slapd.config(changes));
    try {
      return await work(source);
    } finally {
      await source.close();
    }
  };
  const check = (changes: Partial<LdapConfig>, name: string, password: string): Promise<SourceVerdict> =>
    using(changes, (source) => source.check(name, password));
  const attempt = (name: string, password: string) =>
    world.signIn.withPassword(browser, name, password, null);

  test('keeps the login name as the directory spells it, and what else it knows', async () => {
    const { user } = (await world.enter('ada', 'the password of ada')).person;
    assert.deepEqual(
      [user.name, user.source, user.displayName, user.email, user.role, user.passwordHash],
      ['Ada', 'directory', 'Ada Lovelace', 'ada@example.org', 'user', null],
    );
    assert.match(user.subject ?? '', /^[0-9a-f-]{36}$/);
    assert.equal((await world.enter('ADA', 'the password of ada')).person.user.id, user.id);
    assert.equal((await world.enter('ünal', 'pässwörd')).person.user.name, 'Ünal');
  });

  test('answers a wrong password, an unknown name and an empty password alike', async () => {
    const answers = [
      await attempt('bob', 'wrong'),
      await attempt('nobody', 'wrong'),
      await attempt('bob', ''),
      await attempt('', 'wrong'),
    ];
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(answers[0]?.kind === 'refused' && answers[0].code, 'sign_in_refused');
  });

  test('never binds without a password, which the directory would take for a welcome', async () => {
    for (const [name, password] of [
      ['bob', ''],
      ['', 'x'],
      ['', ''],
    ] as const) {
      assert.equal((await check({}, name, password)).kind, 'refused');
    }
  });

  test('takes a login name for a name, not for a part of the filter', async () => {
    const names = [
      '*',
      'b*',
      'bob)(uid=*',
      '*)(|(uid=*',
      'bob\\2a',
      'bob\0',
      'a'.repeat(10_000),
      'bob)(',
      '\\',
    ];
    for (const name of names) {
      const verdict = await check({}, name, 'the password of bob');
      assert.equal(verdict.kind, 'refused', name);
    }
    assert.equal((await check({}, 'cy(n)*', 'the password of cy')).kind, 'known');
  });

  test('refuses a name that several entries share', async () => {
    await slapd.change(
      `dn: uid=twin,ou=groups,${directoryBase}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: twin\ncn: t\nsn: t\nuserPassword: one\n\n` +
        `dn: ${personDn('twin')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: twin\ncn: t\nsn: t\nuserPassword: two\n`,
    );
    for (const password of ['one', 'two']) {
      assert.equal((await check({ baseDn: directoryBase }, 'twin', password)).kind, 'refused');
    }
    assert.equal((await check({}, 'twin', 'two')).kind, 'known');
  });

  test('holds people to the further filter', async () => {
    const filter = '(&(objectClass=person)(!(mail=*)))';
    assert.equal((await check({ filter }, 'bob', 'the password of bob')).kind, 'known');
    assert.equal((await check({ filter }, 'ada', 'the password of ada')).kind, 'refused');
  });

  for (const [how, base] of [
    ['by what the entry says', null],
    ['by searching them', `ou=groups,${directoryBase}`],
  ] as const) {
    test(`lets in who is in a group, and makes admins: ${how}`, async () => {
      const groups = {
        ...noGroups,
        baseDn: base,
        allow: [groupDn('staff').toUpperCase().replace(',', ' , ')],
        admin: [groupDn('admins')],
      };
      const ada = await check({ groups }, 'ada', 'the password of ada');
      const bob = await check({ groups }, 'bob', 'the password of bob');
      const unal = await check({ groups }, 'ünal', 'pässwörd');
      assert.equal(ada.kind === 'known' && ada.identity.isAdmin, true);
      assert.equal(bob.kind === 'known' && bob.identity.isAdmin, false);
      assert.equal(unal.kind, 'refused');
    });
  }

  test('lets in nobody whose entry has no name for ever', async () => {
    const verdict = await check({ subjectAttribute: 'employeeNumber' }, 'bob', 'the password of bob');
    assert.equal(verdict.kind === 'refused' && verdict.reason.includes('employeeNumber'), true);
  });

  test('never takes over a name that somebody else has', async () => {
    await slapd.change(
      `dn: ${personDn('eve')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: eve\ncn: e\nsn: e\nuserPassword: the password of eve\n`,
    );
    const local = await world.addUser('EVE', 'the local password');
    const refusal = await attempt('eve', 'the password of eve');
    assert.equal(refusal.kind === 'refused' && refusal.code, 'sign_in_refused');
    const told = world.told.findLast(({ fields }) => fields['takenBy'] !== undefined);
    assert.deepEqual([told?.fields['takenBy'], told?.fields['userId']], ['local', local.id]);
    assert.equal((await world.enter('eve', 'the local password')).person.user.id, local.id);
  });

  test('somebody new under a name of before is somebody else', async () => {
    const former = (await world.enter('bob', 'the password of bob')).person.user;
    await slapd.change(
      `dn: ${personDn('bob')}\nchangetype: delete\n\ndn: ${personDn('bob')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: bob\ncn: b\nsn: b\nuserPassword: another bob\n`,
    );
    const refusal = await attempt('bob', 'another bob');
    assert.equal(refusal.kind === 'refused' && refusal.code, 'sign_in_refused');
    await world.users.remove(tester, former.id);
    assert.notEqual((await world.enter('bob', 'another bob')).person.user.id, former.id);
  });

  test('a person whom the directory gives another name stays the same, and confirms as ever', async () => {
    await slapd.change(
      `dn: ${personDn('ivy')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ivy\ncn: i\nsn: i\nuserPassword: the password of ivy\n`,
    );
    const { person } = await world.enter('ivy', 'the password of ivy');
    await slapd.change(`dn: ${personDn('ivy')}\nchangetype: modrdn\nnewrdn: uid=iris\ndeleteoldrdn: 1\n`);
    assert.equal((await world.signIn.confirm(person, 'the password of ivy')).kind, 'person');
    assert.equal((await world.signIn.confirm(person, 'wrong')).kind, 'refused');
    assert.equal((await world.signIn.confirm(person, '')).kind, 'refused');
    const again = (await world.enter('iris', 'the password of ivy')).person.user;
    assert.deepEqual([again.id, again.name], [person.user.id, 'ivy']);
  });

  test('tells who still stands', async () => {
    const groups = { ...noGroups, allow: [groupDn('club')], admin: [groupDn('heads')] };
    await slapd.change(
      ['club', 'heads']
        .map(
          (name) =>
            `dn: ${groupDn(name)}\nchangetype: add\nobjectClass: groupOfNames\ncn: ${name}\nmember: ${personDn('Ada')}\nmember: ${personDn('gus')}\n`,
        )
        .concat(
          `dn: ${personDn('gus')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: gus\ncn: g\nsn: g\nuserPassword: gus\n`,
        )
        .toReversed()
        .join('\n'),
    );
    await using({ groups }, async (source) => {
      const verdict = await source.check('gus', 'gus');
      assert.ok(verdict.kind === 'known');
      const gus = { subject: verdict.identity.subject, grant: null };
      const leave = (group: string): Promise<void> =>
        slapd.change(
          `dn: ${groupDn(group)}\nchangetype: modify\ndelete: member\nmember: ${personDn('gus')}\n`,
        );
      assert.deepEqual(await source.standing(gus), { kind: 'stands', isAdmin: true });
      await leave('heads');
      assert.deepEqual(await source.standing(gus), { kind: 'stands', isAdmin: false });
      await leave('club');
      assert.deepEqual(await source.standing(gus), { kind: 'gone' });
      await slapd.change(`dn: ${personDn('gus')}\nchangetype: delete\n`);
      assert.deepEqual(await source.standing(gus), { kind: 'gone' });
    });
    await using({ baseDn: 'ou=nowhere,dc=example,dc=org' }, async (source) => {
      const nobody = { subject: '00000000-0000-0000-0000-000000000000', grant: null };
      assert.deepEqual(await source.standing(nobody), { kind: 'unknown' });
    });
  });

  test('crosses the network sealed: from the beginning, or by StartTLS', async () => {
    const { ca, secureUrl } = slapd;
    for (const changes of [
      { url: secureUrl, ca },
      { startTls: true, ca },
    ]) {
      assert.equal((await check(changes, 'ada', 'the password of ada')).kind, 'known');
      assert.equal((await check(changes, 'ada', 'wrong')).kind, 'refused');
    }
    for (const changes of [{ url: secureUrl }, { startTls: true }]) {
      await assert.rejects(check(changes, 'ada', 'the password of ada'), isUnavailable);
    }
  });

  test('a wrong account for searching is a fault of ours, not of the person', async () => {
    await assert.rejects(check({ bindPassword: 'wrong' }, 'ada', 'the password of ada'), isUnavailable);
  });

  test('without an account, a directory that shows nothing to strangers is a fault of ours too', async () => {
    const nobody = { bindDn: null, bindPassword: null };
    await assert.rejects(check(nobody, 'ada', 'the password of ada'), isUnavailable);
  });

  test('finds the directory again after its connections broke', async () => {
    const proxy: TcpProxy = await startTcpProxy(slapd.port);
    const source = createLdapSource(slapd.config({ url: `ldap://127.0.0.1:${proxy.port}` }));
    try {
      for (let round = 0; round < 3; round++) {
        const verdicts = await Promise.all(
          ['ada', 'ada', 'ünal'].map((name) => source.check(name, 'the password of ada')),
        );
        assert.deepEqual(
          verdicts.map(({ kind }) => kind),
          ['known', 'known', 'refused'],
        );
        proxy.cut();
        proxy.mend();
      }
    } finally {
      await source.close();
      await proxy.stop();
    }
  });

  test('a directory that is away is told from a refusal, and local users still come in', async () => {
    await world.addUser('here', 'the local password');
    await slapd.halt();
    try {
      await assert.rejects(attempt('ada', 'the password of ada'), isUnavailable);
      await assert.rejects(attempt('nobody', 'wrong'), isUnavailable);
      await assert.rejects(attempt('here', 'wrong'), isUnavailable);
      assert.equal((await attempt('here', 'the local password')).kind, 'signed_in');
      await using({}, async (source) => {
        assert.deepEqual(await source.standing({ subject: 'x', grant: null }), { kind: 'unknown' });
      });
    } finally {
      await slapd.start();
    }
    assert.equal((await attempt('ada', 'the password of ada')).kind, 'signed_in');
  });
});

type Source = ReturnType<typeof createLdapSource>;

function isUnavailable(error: unknown): boolean {
  return error instanceof Fault && error.code === 'sign_in_unavailable';
}
