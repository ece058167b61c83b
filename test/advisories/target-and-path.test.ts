import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { route } from '../support/gateway.ts';
import { field } from '../support/http-message.ts';
import { openRaw } from '../support/raw-client.ts';
import { photos, secret, startWire, type Wire } from './wire.ts';

describe('targets and paths', () => {
  let wire: Wire;
  let token: string;
  before(async () => {
    wire = await startWire((backend) => ({
      routes: [
        route({ backend, match: { path: '/dav/' } }),
        route({ name: 'rest', match: { path: '/api/' }, kind: 'rest', backend }),
        route({ name: 'hosted', match: { host: 'own.example', path: '/' }, backend }),
      ],
    }));
    token = await wire.bearer(`path:${photos}/:rw`, 'path:/api/open/:r', 'route:hosted:r');
  });
  after(() => wire?.stop());

  const refusesAll = async (statuses: readonly number[], targets: readonly string[]): Promise<void> => {
    for (const target of targets) await wire.assertRefused(statuses, 'GET', target, [token]);
  };

  test('dot segments are refused in every spelling, never resolved [CVE-2026-33494, GHSA-3q34-rx83-r6mq, CVE-2026-48020, CVE-2026-65600, CVE-2023-33189]', async () => {
    const up = [
      '..',
      '%2e%2e',
      '.%2E',
      '%2e.',
      '%252e%252e',
      '%c0%ae%c0%ae',
      '%EF%BC%8E%EF%BC%8E',
      '..%20/..',
    ];
    const targets = up.flatMap((dots) => [
      `${photos}/${dots}/Secret/x`,
      `${photos}/${dots}`,
      `/api/open/${dots}/x`,
    ]);
    await refusesAll([400], [...targets, `${photos}/./a.jpg`, `${photos}/%2e/a.jpg`, `${photos}/.`]);
  });

  test('dot segments with parameters are refused: servlet containers cut these off [CVE-2026-73551]', async () => {
    const targets = ['..;x', '..;', '..;a=b;c', '%2e%2e;x', '.;x', '..%3Bx'];
    await refusesAll(
      [400],
      targets.map((dots) => `${photos}/${dots}/Secret/x`),
    );
  });

  test('encoded slash, backslash and NUL are refused: a later decoder would see other segments [GO-2026-5108, GHSA-r9fw-vxmp-hwf2, CVE-2025-66490, CVE-2026-34908, CVE-2026-107334, CVE-2026-52844]', async () => {
    const delimiters = ['%2F', '%2f', '%5C', '%5c', '%00', '%252F', '%255c', '%2500', '\\'];
    const targets = delimiters.flatMap((one) => [
      `${photos}/..${one}Secret${one}x`,
      `${photos}/a${one}b`,
      `/dav${one}x`,
    ]);
    await refusesAll([400], targets);
  });

  test('encoded semicolon, question mark and hash go out as they came: they are part of a name [CVE-2025-66490, CVE-2026-41059, CVE-2026-120213]', async () => {
    for (const name of ['a%3Bb', 'a%3Fb', '%231.jpg', 'a;b', '100%25', 'a%20b%C3%BC']) {
      const seen = await wire.assertForwarded('GET', `${photos}/${name}?q=%23&r`, [token]);
      assert.equal(seen.target, `${photos}/${name}?q=%23&r`);
    }
  });

  test('empty segments are refused: some backends collapse them, some do not [CVE-2026-25890, CVE-2026-2880]', async () => {
    await refusesAll(
      [400],
      [`/${photos}/a`, `${photos}//a`, '//dav/files/alice/Secret/x', `${photos}/;/a`, '//', '/api//open/x'],
    );
  });

  test('what is decided is the path that the backend will read, however it is spelled [CVE-2026-22031, CVE-2026-33804, CVE-2026-85184, CVE-2026-33808]', async () => {
    await refusesAll(
      [403],
      [
        '/dav/files/alice/S%65cret/x',
        '/d%61v/files/alice/Secret/x',
        '/dav/files/alice/Secret/x/',
        '/dav/files/alice/photos/a',
      ],
    );
    await refusesAll([403], [`${secret};${photos}/`, `${secret};/a`, '/api/Open/x', '/api/closed;open/x']);
    const inside = '/d%61v/files/alice/%50hotos/a';
    assert.equal((await wire.assertForwarded('GET', inside, [token])).target, inside);
  });

  test('no spelling of a prefix leaves its route [CVE-2021-21321, CVE-2021-21322, GHSA-2q7r-29rg-6m5h, CVE-2026-16117]', async () => {
    await refusesAll(
      [400],
      ['/dav/../admin', '/dav/%2e%2e/admin', '/dav/..%2fadmin', '/dav%2F..%2Fadmin', '/dav/%252e%252e/admin'],
    );
    await refusesAll([404], ['/davx/a', '/dav%20/a', '/DAV/a', '/admin', '/', '/dav;x/a']);
    await refusesAll(
      [400, 421],
      [
        'http://127.0.0.1/dav/a',
        'http://evil.example/dav/a',
        'HTTP://gw.example@evil.example/dav/a',
        '*',
        'dav/a',
      ],
    );
  });

  test('a scope ends at a segment, not inside a name [CVE-2026-35605]', async () => {
    await refusesAll(
      [403],
      [`${photos}x/a`, `${photos}-old/a`, `${photos}%20/a`, `${photos}.bak`, `${photos};v=1/a`],
    );
  });

  test('a malformed escape is 400 with a token and without, never an answer of another kind [CVE-2021-32637]', async () => {
    for (const escape of ['%', '%z', '%zz', '%4', '%u0041', '%%41', '%ff', '%c3%28']) {
      for (const fields of [[], [token]])
        await wire.assertRefused([400], 'GET', `${photos}/a${escape}`, fields);
    }
  });

  test('encoded line ends stay out of paths, and stay encoded in queries [CVE-2026-1527, CVE-2022-31150]', async () => {
    await refusesAll(
      [400],
      [`${photos}/a%0d%0aX-Remote-User:%20admin`, `${photos}/a%0Ab`, `${photos}/a%0Db`, `${photos}/a%7Fb`],
    );
    const seen = await wire.assertForwarded('GET', `${photos}/a?x=%0d%0aX-Remote-User:%20admin`, [token]);
    assert.equal(seen.target, `${photos}/a?x=%0d%0aX-Remote-User:%20admin`);
    assert.equal(field(seen, 'X-Remote-User'), 'alice');
  });

  test('a query or fragment that names the allowed folder allows nothing [CVE-2025-54576, CVE-2023-47106, CVE-2021-32779, CVE-2026-54573, CVE-2023-45539, CVE-2021-39206]', async () => {
    await refusesAll([403], [`${secret}?${photos}/`, `${secret}?path=${photos}/a`]);
    await refusesAll([400], [`${secret}#${photos}/`, `${photos}/a#`, `${photos}/a?x#y`]);
  });

  test('a target that starts like user information is 400, and the process goes on [CVE-2024-21536]', async () => {
    await refusesAll(
      [400, 421],
      [
        '//x@x',
        '@x',
        '//evil.example/',
        '/\\evil.example',
        'http://@/',
        'http://x@gw.example/dav/a',
        '//:@/',
      ],
    );
    await wire.assertForwarded('GET', `${photos}/a`, [token]);
  });

  test('only a whole host name chooses a route, in any case, with port or final dot [S7, CVE-2026-55602, GHSA-72h4-mxfc-jx37]', async () => {
    const ask = async (host: string): Promise<string> => {
      wire.backend.forget();
      const raw = await openRaw(wire.gateway.port);
      await raw.send(`GET /only-here HTTP/1.1\r\nHost: ${host}\r\n${token}\r\n\r\n`);
      const answer = await raw.nextResponse();
      raw.destroy();
      return answer.startLine.split(' ')[1] ?? '';
    };
    for (const host of ['own.example', 'OWN.Example', 'own.example.', 'own.example:8080'])
      assert.equal(await ask(host), '200', host);
    for (const host of ['own.example.evil.test', 'xown.example', 'own.exampl', 'own-example'])
      assert.equal(await ask(host), '404', host);
    for (const host of [
      'own.example, evil.test',
      'evil@own.example',
      'own.example/x',
      'own.example:80:80',
      'own.example#',
    ]) {
      assert.equal(await ask(host), '400', host);
      assert.equal(wire.backend.text(), '');
    }
  });

  test('other ways to the same files are closed to a folder token, and a signature in the query is no credential [CVE-2023-49105, CVE-2026-23989]', async () => {
    await refusesAll(
      [403],
      [
        '/dav/spaces/alice/Photos/a',
        '/dav/public-files/x',
        '/api/archiver?id=Photos',
        '/api/thumbnails?file=a',
      ],
    );
    await refusesAll(
      [404],
      [
        '/remote.php/webdav/Photos/a',
        '/remote.php/dav/files/alice/Photos/a',
        '/webdav/Photos/a',
        '/archiver?id=x',
      ],
    );
    const signed = `${photos}/a?OC-Credential=alice&OC-Date=2026-01-01&OC-Expires=3600&OC-Signature=&OC-Verb=GET`;
    await wire.assertRefused([401], 'GET', signed, []);
  });

  test('the agents of health checks get what everybody gets: 401 [S1, CVE-2026-34457]', async () => {
    const agents = [
      'GoogleHC/1.0',
      'kube-probe/1.33',
      'ELB-HealthChecker/2.0',
      'HealthCheck',
      'Consul Health Check',
      'Prometheus/3.0',
    ];
    for (const agent of agents) {
      for (const target of ['/dav/', `${photos}/a`, '/api/ping', '/dav/ping', '/dav/healthz']) {
        await wire.assertRefused([401], 'GET', target, [`User-Agent: ${agent}`]);
      }
      await wire.assertRefused([403], 'GET', secret, [token, `User-Agent: ${agent}`]);
    }
  });
});
