import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CanonicalPath, canonicalPath, isInFolder } from '../../src/core/path.ts';
import { run } from './child-process.ts';
import {
  type AskingKind,
  backendPassword,
  type DoorWorld,
  startDoorWorld,
  stopDoorWorld,
} from './door-world.ts';
import { eventually } from './eventually.ts';
import { basic } from './gateway.ts';
import { field, type HttpMessage, status } from './http-message.ts';
import { foreignFields, oddTargets, spoofs } from './odd-requests.ts';
import { exchange, head, openRaw } from './raw-client.ts';
import type { RecordedRequest } from './recording-backend.ts';

const alices = '/dav/alice/' as CanonicalPath;

/** Runs what must hold of every proxy that asks, through the real one. */
export function tryDoor(kind: AskingKind): void {
  describe(`behind ${kind.door}`, kind.requirement, () => {
    let world: DoorWorld;
    let authorization: string;
    let secret: string;
    before(async () => {
      world = await startDoorWorld(kind);
      ({ secret } = await world.office.mint('alice', { scopes: ['path:/dav/alice/:rw'] }));
      authorization = `Authorization: ${basic('alice', secret)}`;
    });
    after(() => stopDoorWorld(world));

    const send = (
      method: string,
      target: string,
      fields: readonly string[] = [authorization],
      body: string | Buffer = '',
    ): Promise<HttpMessage> => {
      world.backend.forget();
      return exchange(world.proxy.port, method, target, fields, body);
    };
    const assertRefused = (answer: HttpMessage, ...statuses: readonly number[]): void => {
      assert.ok(statuses.includes(status(answer)), answer.head);
      assert.equal(world.backend.text(), '', 'nothing reaches the backend');
    };
    const arrived = (answer: HttpMessage): RecordedRequest => {
      assert.equal(status(answer), 200, answer.head);
      const [request, ...more] = world.backend.requests;
      assert.deepEqual(more, []);
      assert.ok(request);
      return request;
    };
    /** What a 4xx of the gateway's becomes here. */
    const narrowed = (said: number): number => (kind.relaysEveryStatus || said === 401 ? said : 403);

    test('what the token may do reaches the backend, with who asks and without the credential', async () => {
      const seen = arrived(await send('PUT', '/dav/alice/a%20b.txt?x=1', undefined, 'hello'));
      assert.equal(seen.method, 'PUT');
      assert.equal(seen.target, '/dav/alice/a%20b.txt?x=1');
      assert.equal(seen.body.toString(), 'hello');
      assert.equal(field(seen, 'X-Remote-User'), 'alice');
      assert.match(field(seen, 'X-Latchkey-Assertion') ?? '', /^ey[\w-]+\.ey[\w-]+\.[\w-]+$/);
      assert.equal(field(seen, 'Authorization') ?? '', '');
      assert.ok(!world.backend.text().includes(secret));
      assert.ok(!seen.fields.some(([name]) => /^x[-_]latchkey[-_](target|remove)$/i.test(name)), seen.head);
    });

    test('a body of unknown length reaches the backend whole', async () => {
      world.backend.forget();
      const raw = await openRaw(world.proxy.port);
      const chunked = head('PUT', '/dav/alice/a.txt', [authorization, 'Transfer-Encoding: chunked']);
      await raw.send(`${chunked}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`, 'PUT');
      const seen = arrived(await raw.nextResponse());
      raw.destroy();
      assert.equal(seen.body.toString(), 'hello world');
    });

    test('curl is asked for a credential by WWW-Authenticate, and gets through with one', async () => {
      const curl = async (...args: readonly string[]): Promise<string> => {
        const url = `http://127.0.0.1:${world.proxy.port}/dav/alice/a.txt`;
        const done = await run({
          label: 'curl',
          command: 'curl',
          args: ['-sSi', '--max-time', '20', ...args, url],
        });
        return done.stdout;
      };
      const refused = await curl();
      assert.match(refused, /^HTTP\/1\.1 401 /);
      assert.match(refused, /^WWW-Authenticate: Basic realm="Latchkey", charset="UTF-8"\r?$/im);
      assert.match(await curl('--anyauth', '--user', `alice:${secret}`), /^HTTP\/1\.1 200 /m);
    });

    test('a wrong token is 401, what is outside of the scope 403, and what nobody serves no more than that', async () => {
      assertRefused(
        await send('GET', '/dav/alice/a.txt', [`Authorization: Bearer ${secret.slice(0, -1)}x`]),
        401,
      );
      assertRefused(await send('GET', '/dav/bob/a.txt'), 403);
      assertRefused(await send('GET', '/.latchkey/'), narrowed(404));
      assertRefused(await send('GET', '/dav/alice/a.txt', ['Authorization: Basic !']), narrowed(400));
    });

    test('a refused upload does not reach the backend, and is not asked for either', async () => {
      const expecting = [authorization, 'Expect: 100-continue', 'Content-Length: 5'];
      const answer = await send('PUT', '/dav/bob/a.txt', expecting);
      assertRefused(answer, 403);
    });

    test('where MOVE and COPY go to is part of the decision', async () => {
      for (const method of ['MOVE', 'COPY']) {
        const to = (destination: string): Promise<HttpMessage> =>
          send(method, '/dav/alice/a.txt', [authorization, `Destination: ${destination}`, 'Overwrite: F']);
        const seen = arrived(await to('http://gw.example/dav/alice/b.txt'));
        assert.equal(field(seen, 'Destination'), 'http://gw.example/dav/alice/b.txt');
        assert.equal(field(seen, 'Overwrite'), 'F');
        assert.equal(field(arrived(await to('/dav/alice/b.txt')), 'Destination'), '/dav/alice/b.txt');
        assertRefused(await to('http://gw.example/dav/bob/b.txt'), 403);
        assertRefused(await to('/dav/bob/b.txt'), 403);
        assertRefused(await to('/dav/alice/../bob/b.txt'), narrowed(400));
        assertRefused(await to('http://elsewhere.example/dav/alice/b.txt'), narrowed(400));
        assertRefused(await send(method, '/dav/alice/a.txt'), narrowed(400));
        const two = ['Destination: /dav/alice/b.txt', 'Destination: /dav/bob/b.txt'];
        assertRefused(await send(method, '/dav/alice/a.txt', [authorization, ...two]), narrowed(400));
      }
    });

    test("the backend is told in its own words, and by the gateway's login, as far as the proxy copies these", async () => {
      const { secret: all } = await world.office.mint('alice');
      const fields = [
        `Authorization: Bearer ${all}`,
        'Destination: http://gw.example/inside/b',
        'If: <http://gw.example/inside/a> (["e"])',
      ];
      const seen = arrived(await send('MOVE', '/inside/a', fields));
      const copies = kind.copiesForTheBackend !== false;
      const origin = copies ? 'http://inside.example' : 'http://gw.example';
      assert.equal(field(seen, 'Destination'), `${origin}/inside/b`);
      assert.equal(field(seen, 'If'), `<${origin}/inside/a> (["e"])`);
      assert.equal(field(seen, 'Authorization'), copies ? basic('gateway', backendPassword) : null);
    });

    test('Depth, If and Overwrite are part of it', async () => {
      arrived(await send('PROPFIND', '/dav/', [authorization, 'Depth: 0']));
      assertRefused(await send('PROPFIND', '/dav/', [authorization, 'Depth: 1']), 403);
      const tagged = (path: string): string => `If: <http://gw.example${path}> (<urn:uuid:1>)`;
      const seen = arrived(
        await send('PUT', '/dav/alice/a.txt', [authorization, tagged('/dav/alice/a.txt')], 'x'),
      );
      assert.equal(field(seen, 'If'), '<http://gw.example/dav/alice/a.txt> (<urn:uuid:1>)');
      assertRefused(
        await send('PUT', '/dav/alice/a.txt', [authorization, tagged('/dav/bob/a.txt')], 'x'),
        403,
      );
      assertRefused(await send('COPY', '/dav/alice/a.txt', [authorization, 'Overwrite: X']), narrowed(400));
    });

    const hidden = (spoof: string): boolean =>
      kind.hides?.some((name) => spoof.toLowerCase().startsWith(`${name}:`)) === true;
    for (const spoof of spoofs.filter((each) => !hidden(each))) {
      test(`a client's own "${spoof}" does not reach the backend`, async () => {
        const answer = await send('GET', '/dav/alice/a.txt', [authorization, spoof]);
        assert.ok(!/mallory/i.test(world.backend.text()), world.backend.text());
        const [seen] = world.backend.requests;
        if (kind.removesFields) assert.equal(status(answer), 200, answer.head);
        if (seen === undefined) return assertRefused(answer, narrowed(400), 403);
        const users = seen.fields.filter(
          ([name]) => name.toLowerCase().replace(/[^a-z]/g, '-') === 'x-remote-user',
        );
        assert.deepEqual(
          users.map(([, value]) => value),
          ['alice'],
        );
      });
    }

    test('a method override is part of the decision, and does not reach the backend', async () => {
      const overridden = (method: string): Promise<HttpMessage> =>
        send('GET', '/dav/alice/a.txt', [authorization, `X-HTTP-Method-Override: ${method}`]);
      assertRefused(await overridden('MALLORY'), 403);
      assertRefused(await overridden('MOVE'), 403, narrowed(400));
      const answer = await overridden('PUT');
      if (kind.removesFields) assert.equal(field(arrived(answer), 'X-HTTP-Method-Override'), null);
      else assertRefused(answer, narrowed(400));
    });

    test('what Connection nominates does not take the identity away, or changes what was decided', async () => {
      for (const name of ['X-Remote-User', 'Destination', 'Depth', 'Authorization']) {
        const fields = [authorization, `Connection: close, ${name}`, 'Destination: /dav/bob/x', 'Depth: 0'];
        for (const method of ['GET', 'COPY', 'PROPFIND']) {
          await send(method, '/dav/alice/a.txt', fields);
          for (const seen of world.backend.requests) {
            assert.equal(field(seen, 'X-Remote-User'), 'alice', seen.head);
            assert.ok(!/^connection:.*(?:remote|destination|depth)/im.test(seen.head), seen.head);
            assert.ok(!seen.head.includes('/dav/bob/'), seen.head);
          }
        }
      }
    });

    test('what Connection nominates is not hidden from the question', async () => {
      for (const spoof of ['X_Remote_User: mallory', 'X-HTTP-Method-Override: DELETE']) {
        const [name = ''] = spoof.split(':');
        await send('GET', '/dav/alice/a.txt', [authorization, `Connection: close, ${name}`, spoof]);
        assert.ok(!/mallory|override/i.test(world.backend.text()), world.backend.text());
      }
    });

    test('no client goes over to HTTP/2 with the backend (h2c), in which nobody would be asked', async () => {
      const settings = 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA';
      for (const connection of ['Upgrade, HTTP2-Settings', 'Upgrade']) {
        for (const upgrade of [['Upgrade: h2c'], ['Upgrade: h2c', 'Upgrade: websocket']]) {
          const fields = [authorization, `Connection: ${connection}`, ...upgrade, settings];
          await send('GET', '/dav/alice/a.txt', fields);
          assert.ok(!/^http2-settings/im.test(world.backend.text()), world.backend.text());
          if (kind.passesUpgrades !== true)
            assert.ok(!/h2c/i.test(world.backend.text()), world.backend.text());
        }
      }
    });

    test('what the proxies of other doors say changes nothing, in any spelling', async () => {
      for (const other of [...foreignFields, 'X_Forwarded_Uri: /dav/alice/a.txt']) {
        assertRefused(await send('GET', '/dav/bob/a.txt', [authorization, other]), 403, narrowed(400));
        assertRefused(await send('GET', '/dav/alice/a.txt', [other]), 401);
      }
    });

    test('what would name the request to this very door is nothing that a client can say', async () => {
      const own = [
        'X-Original-Method: GET',
        'X-Original-URI: /dav/alice/a.txt',
        'X-Original-Host: gw.example',
      ];
      for (const each of [
        ...own,
        'X-Original-URL: http://gw.example/dav/alice/a.txt',
        'X-Original-Scheme: https',
      ]) {
        assertRefused(await send('GET', '/dav/bob/a.txt', [authorization, each]), 403, narrowed(400));
        assertRefused(await send('DELETE', '/dav/bob/a.txt', [authorization, each]), 403, narrowed(400));
      }
    });

    for (const target of oddTargets) {
      test(`${JSON.stringify(target)} reaches the backend as it was judged, or not at all`, async () => {
        await send('GET', target);
        for (const seen of world.backend.requests) {
          const path = canonicalPath(seen.target.split('?', 1)[0] ?? '');
          assert.ok(typeof path === 'string' && isInFolder(alices, path), seen.target);
        }
        assert.deepEqual(world.backend.violations, []);
      });
    }

    test('a credential for a proxy does not reach the backend', async () => {
      const other = 'Proxy-Authorization: Basic bWFsbG9yeTp4';
      const seen = arrived(await send('GET', '/dav/alice/a.txt', [authorization, other]));
      if (kind.passesProxyCredentials !== true) assert.equal(field(seen, 'Proxy-Authorization'), null);
    });

    test('a credential in the query does not reach the backend', async () => {
      const target = `/dav/alice/a.txt?a=1&session=${secret}&b=2`;
      const answer = await send('GET', target, []);
      assert.ok(!world.backend.text().includes(secret));
      if (kind.replacesTarget) assert.equal(arrived(answer).target, '/dav/alice/a.txt?a=1&b=2');
      else assertRefused(answer, narrowed(400));
    });

    test('the cookies of our own pages do not reach the backend, others do', async () => {
      const cookie = 'Cookie: a=1; __Host-latchkey_session=secret; b=2';
      const seen = arrived(await send('GET', '/dav/alice/a.txt', [authorization, cookie]));
      assert.match(field(seen, 'Cookie') ?? '', /^a=1;[ ;]* b=2$/);
      const ours = 'Cookie: __Host-latchkey_session=s3cret';
      for (const own of [[ours], ['Cookie: a=1', 'Cookie: latchkey_x=s3cret']]) {
        arrived(await send('GET', '/dav/alice/a.txt', [authorization, ...own]));
        assert.ok(!world.backend.text().includes('s3cret'), world.backend.text());
      }
    });

    test('a token in the address of the page before does not reach the backend', async () => {
      for (const place of [`a.txt?session=${secret}`, `${secret}/a.txt`, `?a=%6ck_${secret.slice(3)}`]) {
        const referer = `Referer: http://gw.example/dav/alice/${place}`;
        arrived(await send('GET', '/dav/alice/a.txt', [authorization, referer]));
        assert.ok(!world.backend.text().includes(secret.slice(3)), world.backend.text());
      }
      const seen = arrived(
        await send('GET', '/dav/alice/a.txt', [authorization, 'Referer: http://gw.example/b']),
      );
      assert.equal(field(seen, 'Referer'), 'http://gw.example/b');
    });

    test('a report whose body would have to be read is refused, one by a token that may do everything is not', async () => {
      const report = '<d:sync-collection xmlns:d="DAV:"/>';
      assertRefused(await send('REPORT', '/dav/alice/', undefined, report), 403);
      const { secret: all } = await world.office.mint('alice');
      const seen = arrived(await send('REPORT', '/dav/alice/', [`Authorization: Bearer ${all}`], report));
      assert.equal(seen.body.toString(), report);
    });

    test('a revoked token is refused', async () => {
      const token = await world.office.mint('alice');
      const bearer = [`Authorization: Bearer ${token.secret}`];
      arrived(await send('GET', '/dav/alice/a.txt', bearer));
      await world.office.revoke(token.id);
      await eventually(
        'the refusal',
        async () => status(await send('GET', '/dav/alice/a.txt', bearer)) === 401,
      );
    });

    test('too many wrong secrets are told as far as the proxy can, and a valid token passes still', async () => {
      const wrong = (): Promise<HttpMessage> => {
        const other = `lk_${Math.random().toString(36).slice(2)}`;
        return send('GET', '/dav/alice/a.txt', [`Authorization: ${basic('alice', other)}`]);
      };
      const answer = await eventually('the end of patience', async () => {
        const each = await wrong();
        return (await world.gateway.metric('latchkey_rate_limited_total')) > 0 ? each : null;
      });
      assertRefused(answer, kind.relaysEveryStatus ? 429 : 401);
      assert.equal(field(answer, 'Retry-After') !== null, kind.relaysRetryAfter);
      arrived(await send('GET', '/dav/alice/a.txt'));
    });

    test('without the gateway nothing reaches the backend', async () => {
      await world.gateway.stop();
      const answer = await send('GET', '/dav/alice/a.txt');
      assert.ok(status(answer) >= 500, answer.head);
      assert.equal(world.backend.text(), '');
    });
  });
}
