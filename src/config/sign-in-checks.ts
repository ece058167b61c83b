import { valueAt, type Finding } from './issues.ts';
import { isLoopback } from './sign-in-addresses.ts';
import { isMap } from './sources.ts';

/** What is wrong between the values of each way to sign in, and between ways. Takes the data as written. */
export function checkWays(ways: readonly unknown[]): readonly Finding[] {
  return [
    ...checkLocal(ways),
    ...ways.flatMap((way, index) =>
      [...checkLdap(way), ...checkOidc(way)].map((finding) => ({
        ...finding,
        path: ['signIn', 'ways', index, ...finding.path],
      })),
    ),
  ];
}

function checkLocal(ways: readonly unknown[]): readonly Finding[] {
  const [, second] = ways.flatMap((way, index) => (valueAt(way, ['kind']) === 'local' ? [index] : []));
  if (second === undefined) return [];
  return [
    { path: ['signIn', 'ways', second], at: 'value', message: 'is the second local way; there is one' },
  ];
}

function checkLdap(way: unknown): readonly Finding[] {
  if (!isMap(way) || way['kind'] !== 'ldap') return [];
  const findings: Finding[] = [];
  const url = typeof way['url'] === 'string' ? URL.parse(way['url']) : null;
  const startTls = way['startTls'] === true;
  const allowed = way['allowPlaintext'] === true;
  if (url?.protocol === 'ldaps:' && startTls) {
    const message = 'means nothing with ldaps://, which speaks TLS from the beginning';
    findings.push({ path: ['startTls'], at: 'value', message });
  }
  if (url?.protocol === 'ldap:' && !isLoopback(url.hostname) && !startTls && !allowed) {
    const message =
      'would send passwords in clear: use ldaps://, or set startTls: true (or allowPlaintext: true where the network is trusted)';
    findings.push({ path: ['url'], at: 'value', message });
  }
  if (way['bindDn'] !== undefined && way['bindPassword'] === undefined) {
    const message = 'is missing: without a password the directory takes the account for anonymous';
    findings.push({ path: ['bindPassword'], at: 'value', message });
  }
  if (way['bindPassword'] !== undefined && way['bindDn'] === undefined) {
    findings.push({ path: ['bindPassword'], at: 'value', message: 'means nothing without bindDn' });
  }
  return findings;
}

function checkOidc(way: unknown): readonly Finding[] {
  const scopes = isMap(way) && way['kind'] === 'oidc' ? way['scopes'] : undefined;
  if (!Array.isArray(scopes) || scopes.includes('openid')) return [];
  return [{ path: ['scopes'], at: 'value', message: 'must hold openid: without it nobody is vouched for' }];
}
