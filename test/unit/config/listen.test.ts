import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { describeConfig, toYaml } from '../../../src/config/show.ts';
import { loaded, problems } from './in-memory-sources.ts';

/** A file that listens like this. */
function listen(...lines: readonly string[]): string {
  return ['backend: http://127.0.0.1:8008', 'listen:', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** A self-signed certificate and its key in one text. */
function makePair(...more: readonly string[]): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', '-', ...more];
  const args = ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=localhost'];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

describe('listen.tls', () => {
  const folder = '/etc/latchkey';
  const lines = ['tls:', '  cert: { fromFile: tls.crt }', '  key: { fromFile: tls.key }'];
  let pem: string;
  let other: string;
  before(() => {
    pem = makePair('-nodes');
    other = makePair('-nodes');
  });

  /** What is wrong where the two files hold this. */
  const wrongWith = (cert: string, key: string): readonly string[] =>
    problems({
      yaml: listen(...lines),
      files: { [`${folder}/tls.crt`]: cert, [`${folder}/tls.key`]: key },
    });

  test('a pair that fits is read, with the files it may be read from again, and HTTP/2 is on', () => {
    const files = { [`${folder}/tls.crt`]: pem, [`${folder}/tls.key`]: pem };
    const { tls } = loaded({ yaml: listen(...lines), files }).config.listen;
    assert.deepEqual(tls, {
      cert: pem.trimEnd(),
      key: pem.trimEnd(),
      certFile: `${folder}/tls.crt`,
      keyFile: `${folder}/tls.key`,
      http2: true,
    });
  });

  test('what is shown holds neither certificate nor key', () => {
    const env = { LATCHKEY_LISTEN_TLS_CERT: pem, LATCHKEY_LISTEN_TLS_KEY: pem };
    const yaml = toYaml(describeConfig(loaded({ yaml: listen('port: 8443'), env })));
    assert.match(yaml, / tls:\n {4}cert: "\*+" # LATCHKEY_LISTEN_TLS_CERT\n {4}key: "\*+" # LATCHKEY_/);
    assert.doesNotMatch(yaml, /BEGIN/);
  });

  test('a certificate without a key is refused', () => {
    assert.deepEqual(
      problems({ yaml: listen(...lines.slice(0, 2)), files: { [`${folder}/tls.crt`]: pem } }),
      ['latchkey.yaml:4:5: listen.tls.key: is missing'],
    );
  });

  test('a certificate in the file itself is refused', () => {
    const [problem = ''] = problems({ yaml: listen('tls:', '  cert: abc', lines[2] ?? '') });
    assert.match(problem, /^latchkey\.yaml:4:11: listen\.tls\.cert: must be \{fromFile: PATH\}/);
  });

  test('a file that is not there is named', () => {
    assert.deepEqual(problems({ yaml: listen(...lines), files: { [`${folder}/tls.crt`]: pem } }), [
      'latchkey.yaml:5:10: listen.tls.key: the file /etc/latchkey/tls.key does not exist',
    ]);
  });

  test('the key of another certificate is refused, and the next step said', () => {
    assert.deepEqual(wrongWith(pem, other), [
      'latchkey.yaml:5:10: listen.tls.key: is not the key of the first certificate in cert: give the two that were made together, that of this server first',
    ]);
  });

  test('a key with a passphrase is refused, and the way out of it said', () => {
    const locked = makePair('-passout', 'pass:geheim');
    const [problem = ''] = wrongWith(locked, locked);
    assert.match(problem, /listen\.tls\.key: is protected by a passphrase: store it without one/);
  });

  test('what is no key, and what is no certificate, is refused without being repeated', () => {
    assert.deepEqual(wrongWith('hunter2', 'hunter2'), [
      'latchkey.yaml:4:11: listen.tls.cert: holds no readable PEM certificate (-----BEGIN CERTIFICATE-----)',
      'latchkey.yaml:5:10: listen.tls.key: holds no readable PEM private key (-----BEGIN PRIVATE KEY-----)',
    ]);
  });
});
