import { type Finding, valueAt } from './issues.ts';

/** What the fields of `listen` say against each other and against others. */
export function checkListen(root: unknown): readonly Finding[] {
  return [...checkSocket(root), ...checkProxyProtocol(root)];
}

function checkSocket(root: unknown): readonly Finding[] {
  const given = (key: string): boolean => valueAt(root, ['listen', key]) !== undefined;
  if (!given('socket')) {
    if (!given('socketMode')) return [];
    return [{ path: ['listen', 'socketMode'], at: 'value', message: 'means nothing without socket' }];
  }
  return ['host', 'port'].filter(given).map((key): Finding => {
    const message = 'cannot stand together with socket: clients connect to one or the other; remove one';
    return { path: ['listen', key], at: 'value', message };
  });
}

function checkProxyProtocol(root: unknown): readonly Finding[] {
  const trusted = valueAt(root, ['trustedProxies']);
  const none = trusted === undefined || (Array.isArray(trusted) && trusted.length === 0);
  if (valueAt(root, ['listen', 'proxyProtocol']) !== true || !none) return [];
  const message =
    'would refuse everybody: name the addresses of the proxies that send its header in trustedProxies';
  return [{ path: ['listen', 'proxyProtocol'], at: 'value', message }];
}
