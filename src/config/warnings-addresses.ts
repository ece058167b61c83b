import type { Parsed } from './quantities.ts';

/** An smtp:// or smtps:// URL of host and port only. Never repeats the value. */
export function parseSmtpUrl(text: string): Parsed<string> {
  const url = /^smtps?:\/\/[^\s\\\p{Cc}]+$/iu.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '')
    return { wrong: 'must be a URL such as smtp://mail.example.org:587' };
  if (url.username !== '' || url.password !== '' || text.includes('@')) {
    return { wrong: 'must not hold credentials; use username and password instead' };
  }
  if (!['', '/'].includes(url.pathname) || /[?#]/.test(text) || url.port === '0') {
    return { wrong: 'must end after host and port' };
  }
  return { value: `${url.protocol}//${url.host}` };
}

/** An http(s) URL without credentials. Never repeats the value: its path may be all that keeps strangers out. */
export function parseWebhookUrl(text: string): Parsed<string> {
  const url = /^https?:\/\/[^\s\\\p{Cc}]+$/iu.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '' || url.port === '0') {
    return { wrong: 'must be a URL such as https://hooks.example.org/latchkey' };
  }
  if (url.username !== '' || url.password !== '') {
    return { wrong: 'must not hold credentials; requests are signed with secret instead' };
  }
  return url.hash === '' ? { value: url.href } : { wrong: 'must not have a fragment' };
}

/** `ADDRESS` or `NAME <ADDRESS>`. */
export function parseMailbox(
  text: string,
): Parsed<{ readonly name: string | null; readonly address: string }> {
  const parts = /^(?:([^<>\p{Cc}]*?)\s*<([^<>]+)>|([^<>]+))$/u.exec(text);
  const address = parts?.[2] ?? parts?.[3] ?? '';
  if (!/^[^\s@<>(),:;"\\\p{Cc}]+@[^\s@<>(),:;"\\\p{Cc}]+$/u.test(address)) {
    return {
      wrong: 'must be a mail address such as latchkey@example.org, or Latchkey <latchkey@example.org>',
    };
  }
  const name = parts?.[1]?.replace(/^"(.*)"$/, '$1') ?? '';
  return { value: { name: name === '' ? null : name, address } };
}
