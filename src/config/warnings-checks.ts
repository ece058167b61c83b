import { type Finding, valueAt } from './issues.ts';
import { isLoopback } from './sign-in-addresses.ts';

/** What the fields of `warnings` say against each other. */
export function checkWarnings(root: unknown): readonly Finding[] {
  return [...checkMail(root), ...checkWebhook(root)];
}

function checkMail(root: unknown): readonly Finding[] {
  const [username, password] = ['username', 'password'].map((key) =>
    valueAt(root, ['warnings', 'mail', key]),
  );
  if ((username === undefined) === (password === undefined)) return [];
  const [missing, given] = username === undefined ? ['username', 'password'] : ['password', 'username'];
  const message = `means nothing without ${missing}`;
  return [{ path: ['warnings', 'mail', given], at: 'value', message }];
}

function checkWebhook(root: unknown): readonly Finding[] {
  const path = ['warnings', 'webhook'];
  const text = valueAt(root, [...path, 'url']);
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (url?.protocol !== 'http:' || isLoopback(url.hostname)) return [];
  if (valueAt(root, [...path, 'allowPlaintext']) === true) return [];
  const message =
    'would send names and mail addresses in clear: use https:// (or allowPlaintext: true where the network is trusted)';
  return [{ path: [...path, 'url'], at: 'value', message }];
}
