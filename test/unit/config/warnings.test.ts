import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, toYaml } from '../../../src/config/show.ts';
import { loaded, problems } from './in-memory-sources.ts';

const secretText = 'a secret that signs webhooks, 32 bytes or more';

/** A file that warns like this. */
function warnings(...lines: readonly string[]): string {
  return ['backend: http://127.0.0.1:8008', 'warnings:', ...lines.map((line) => `  ${line}`)].join('\n');
}

test('nobody is warned where nothing is said', () => {
  const { warnings: found } = loaded({ yaml: 'backend: http://127.0.0.1:8008' }).config;
  assert.deepEqual(found, { days: [7, 1], mail: null, webhook: null });
});

test('mail and webhook are read with their secrets', () => {
  const yaml = warnings(
    'days: [14]',
    'mail:',
    '  url: smtp://mail.example.org:587',
    '  username: latchkey',
    '  password: { fromEnv: MAIL_PASSWORD }',
    '  from: "Latchkey, Ltd <latchkey@example.org>"',
    'webhook:',
    '  url: https://hooks.example.org/x?y',
    '  secret: { fromEnv: HOOK_SECRET }',
  );
  const env = { MAIL_PASSWORD: 'hidden password', HOOK_SECRET: secretText };
  const read = loaded({ yaml, env });
  assert.deepEqual(read.config.warnings, {
    days: [14],
    mail: {
      url: 'smtp://mail.example.org:587',
      allowPlaintext: false,
      ca: null,
      username: 'latchkey',
      password: 'hidden password',
      from: { name: 'Latchkey, Ltd', address: 'latchkey@example.org' },
    },
    webhook: { url: 'https://hooks.example.org/x?y', secret: secretText, ca: null },
  });
  const shown = toYaml(describeConfig(read));
  assert.doesNotMatch(shown, /hidden password|a secret that signs/);
  assert.match(shown, /from: Latchkey, Ltd <latchkey@example\.org>/);
});

test('a mail server on this machine may go without TLS', () => {
  for (const [host, allowed] of [
    ['127.0.0.1:25', true],
    ['localhost', true],
    ['[::1]:2525', true],
    ['mail.example.org', false],
  ] as const) {
    const yaml = warnings('mail:', `  url: "smtp://${host}"`, '  from: a@example.org');
    assert.equal(loaded({ yaml }).config.warnings.mail?.allowPlaintext, allowed, host);
  }
});

test('what cannot work is refused, with what to write instead', () => {
  const env = { S: secretText, SHORT: 'short' };
  const refused: readonly (readonly [lines: readonly string[], expected: RegExp])[] = [
    [['days: []'], /warnings\.days: must be whole days/],
    [['days: [7, 7]'], /warnings\.days: must be whole days from 1 to 365, each once/],
    [['days: [0]'], /warnings\.days\[0\]: must be a whole number from 1 to 365/],
    [['mail: { url: "http://a", from: a@b.c }'], /warnings\.mail\.url: must be a URL such as smtp:/],
    [['mail: { url: "smtp://u:p@a", from: a@b.c }'], /warnings\.mail\.url: must not hold credentials/],
    [['mail: { url: "smtp://a/b", from: a@b.c }'], /warnings\.mail\.url: must end after host and port/],
    [['mail: { url: "smtp://a", from: nobody }'], /warnings\.mail\.from: must be a mail address/],
    [['mail: { url: "smtp://a", from: "a@b.c, d@e.f" }'], /warnings\.mail\.from: must be a mail address/],
    [['mail: { url: "smtp://a", from: a@b.c, username: u }'], /username: means nothing without password/],
    [
      ['mail: { url: "smtp://a", from: a@b.c, password: { fromEnv: S } }'],
      /password: means nothing without username/,
    ],
    [['webhook: { url: "http://a/", secret: { fromEnv: S } }'], /webhook\.url: would send names/],
    [['webhook: { url: "https://u:p@a/", secret: { fromEnv: S } }'], /must not hold credentials/],
    [['webhook: { url: "https://a/", secret: { fromEnv: SHORT } }'], /secret: is shorter than 32 bytes/],
  ];
  for (const [lines, expected] of refused) {
    assert.match(problems({ yaml: warnings(...lines), env }).join('\n'), expected);
  }
  for (const url of ['http://127.0.0.1:1/', 'https://a/']) {
    const yaml = warnings(`webhook: { url: "${url}", secret: { fromEnv: S } }`);
    assert.doesNotThrow(() => loaded({ yaml, env }));
  }
});
