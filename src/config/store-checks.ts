import { type Finding, valueAt } from './issues.ts';
import type { KeyPath } from './problem.ts';
import { isMap } from './sources.ts';
import { parsePostgresUrl } from './store-address.ts';

/** What is wrong between the values of `store`, and a password in the file. */
export function checkStore(root: unknown, inFile: (path: KeyPath) => boolean): readonly Finding[] {
  const store = valueAt(root, ['store']);
  const path: KeyPath = isMap(store) ? ['store', 'url'] : ['store'];
  const url = valueAt(root, path);
  if (typeof url !== 'string') return [];
  if (inFile(path) && /^postgres(ql)?:\/\/[^/@]*:[^/@]+@/.test(url)) {
    const message =
      'must not hold a password: write store as a map with url and password: {fromFile: PATH}, or set LATCHKEY_STORE';
    return [{ path, at: 'value', message }];
  }
  if (!isMap(store)) return [];
  const parsed = parsePostgresUrl(url);
  if (!('value' in parsed)) return [];
  const findings: Finding[] = [];
  if (parsed.value.tls !== null && store['tls'] !== undefined) {
    const message = 'is said in the url too, as sslmode; say it in one of them';
    findings.push({ path: ['store', 'tls'], at: 'value', message });
  }
  const tls = store['tls'] ?? parsed.value.tls ?? false;
  if (parsed.value.host.startsWith('/') && tls !== false) {
    const message = 'is a unix socket, which speaks no TLS: leave tls out';
    findings.push({ path, at: 'value', message });
  }
  return findings;
}
