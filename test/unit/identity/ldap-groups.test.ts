import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeGroups } from '../../../src/identity/sources/ldap-groups.ts';

const config = { admin: ['cn=Admins,ou=Groups,dc=example'], allow: ['cn=Staff,ou=Groups,dc=example'] };
const judge = (...dns: readonly string[]) => judgeGroups(config as never, dns);

test('names of groups differ neither in case nor in spaces around their signs', () => {
  assert.deepEqual(judge('CN = admins ,  OU=groups,DC= Example '), { isAllowed: true, isAdmin: true });
  assert.deepEqual(judge('cn=staff,ou=groups,dc=example'), { isAllowed: true, isAdmin: false });
  assert.deepEqual(judge('cn=staff\\,ou=groups,dc=example'), { isAllowed: false, isAdmin: false });
});

test('a name of a group is read in time that grows with its length', { timeout: 10_000 }, () => {
  assert.equal(judge(`cn=${' '.repeat(400_000)}x`).isAllowed, false);
});
