import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/core/errors.ts';
import { createLdapSource } from '../../src/identity/sources/ldap.ts';
import { within } from '../support/eventually.ts';
import { requireProgram } from '../support/requirement.ts';
import { startSlapd } from '../support/slapd.ts';

test(
  'a directory that accepts connections and says nothing is given up, and used again once it speaks',
  requireProgram('slapd', 'ldapmodify', 'openssl'),
  async () => {
    const slapd = await startSlapd([{ uid: 'ada', password: 'the password of ada' }]);
    const { ca, secureUrl } = slapd;
    try {
      for (const changes of [{}, { url: secureUrl, ca }, { startTls: true, ca }]) {
        const [fresh, used] = [
          createLdapSource(slapd.config(changes)),
          createLdapSource(slapd.config(changes)),
        ];
        await used.check('ada', 'the password of ada');
        slapd.pause();
        await Promise.all(
          [fresh, used].map((source) =>
            assert.rejects(
              within('a source to give up', 30_000, source.check('ada', 'the password of ada')),
              (error) => error instanceof Fault && error.code === 'sign_in_unavailable',
            ),
          ),
        );
        assert.deepEqual(await used.standing({ subject: 'x', grant: null }), { kind: 'unknown' });
        slapd.resume();
        for (const source of [fresh, used]) {
          assert.equal((await source.check('ada', 'the password of ada')).kind, 'known');
          await source.close();
        }
      }
    } finally {
      await slapd.stop();
    }
  },
);
