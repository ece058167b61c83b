import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange, openRaw } from '../support/raw-client.ts';

const backend = 'http://127.0.0.1:9';

/** The fields of the nginx door, about a GET of a file that the token may read. */
const asking: Readonly<Record<string, string>> = {
  'X-Original-Method': 'GET',
  'X-Original-URI': '/dav/alice/a.txt',
  'X-Original-Host': 'files.example.org',
  'X-Original-Scheme': 'https',
  'X-Real-IP': '192.0.2.7',
};

describe('the listener of the doors', () => {
  let gateway: Gateway;
  let port: number;
  let credential: string;
  before(async () => {
    port = await freePort();
    gateway = await startGateway({ backend, config: { doors: { port, open: ['nginx'] } } });
    await gateway.user('alice');
    credential = `Authorization: ${basic('alice', await gateway.token({ scopes: ['path:/dav/alice/:rw'] }))}`;
  });
  after(() => endAll(() => gateway?.stop()));

  const ask = (
    change: Readonly<Record<string, string | null>> = {},
    more: readonly string[] = [credential],
    target = '/doors/nginx',
  ): Promise<HttpMessage> => {
    const fields = Object.entries({ ...asking, ...change }).flatMap(([name, value]) =>
      value === null ? [] : [`${name}: ${value}`],
    );
    return exchange(port, 'GET', target, [...fields, ...more]);
  };

  test('a question about what a token may do is answered 200, with who asks and what to forward', async () => {
    const answer = await ask();
    assert.equal(status(answer), 200, answer.head);
    assert.equal(field(answer, 'X-Remote-User'), 'alice');
    assert.equal(field(answer, 'X-Latchkey-Target'), '/dav/alice/a.txt');
    assert.equal(field(answer, 'Content-Length'), '0');
  });

  test('without a credential it is answered 401 with the challenge of the route', async () => {
    const answer = await ask({}, []);
    assert.equal(status(answer), 401);
    assert.match(answer.head, /^WWW-Authenticate: Basic realm="Latchkey", charset="UTF-8"\r$/m);
  });

  test('outside of the scope it is answered 403, and so is a MOVE whose Destination lies there', async () => {
    assert.equal(status(await ask({ 'X-Original-URI': '/dav/bob/a.txt' })), 403);
    const move = { 'X-Original-Method': 'MOVE' };
    const to = (url: string): readonly string[] => [credential, `Destination: ${url}`];
    assert.equal(status(await ask(move, to('https://files.example.org/dav/alice/b.txt'))), 200);
    assert.equal(status(await ask(move, to('https://files.example.org/dav/bob/b.txt'))), 403);
    assert.equal(status(await ask(move, to('https://elsewhere.example.org/dav/alice/b.txt'))), 403);
  });

  for (const name of Object.keys(asking)) {
    test(`a question without ${name}, or with two of them, is answered 500 and named in the log`, async () => {
      assert.equal(status(await ask({ [name]: null })), 500);
      assert.equal(status(await ask({}, [credential, `${name}: ${asking[name]}`])), 500);
      await eventually('both in the log', () => {
        const said = gateway.logLines().map(({ problem }) => problem);
        const lower = name.toLowerCase();
        return said.includes(`${lower} is missing`) && said.includes(`${lower} stands twice`);
      });
    });
  }

  for (const [name, value] of [
    ['X-Original-Method', 'GET /'],
    ['X-Original-URI', '*'],
    ['X-Original-URI', 'https://files.example.org/dav/alice/a.txt'],
    ['X-Original-Scheme', 'ftp'],
    ['X-Real-IP', 'files.example.org'],
    ['X-Original-Host', 'a.example.org, b.example.org'],
  ] as const) {
    test(`a question with ${name}: ${value} is answered 403`, async () => {
      assert.equal(status(await ask({ [name]: value })), 403);
    });
  }

  test('what the fields of another family say changes nothing', async () => {
    const others = [
      'X-Forwarded-Uri: /dav/alice/a.txt',
      'X-Forwarded-Method: GET',
      'X-Forwarded-Host: x.example',
    ];
    assert.equal(status(await ask({ 'X-Original-URI': '/dav/bob/a.txt' }, [credential, ...others])), 403);
    assert.equal(status(await ask({}, [credential, ...others])), 200);
  });

  for (const name of [
    'X-Remote-User',
    'X_Remote_User',
    'X.Remote.User',
    'X-Latchkey-Assertion',
    'X-Original-URL',
  ]) {
    test(`a client that sends ${name}, which nginx would pass on, is refused`, async () => {
      assert.equal(status(await ask({}, [credential, `${name}: admin`])), 403);
    });
  }

  test('doors that are not open, and all else, are 404', async () => {
    for (const target of ['/doors/traefik', '/doors/', '/doors/nginx/', '/']) {
      assert.equal(status(await ask({}, [credential], target)), 404, target);
    }
  });

  test('a question that announces a body is answered from its head, and the connection ends', async () => {
    const raw = await openRaw(port);
    const fields = Object.entries(asking).map(([name, value]) => `${name}: ${value}`);
    const head = [
      'GET /doors/nginx HTTP/1.1',
      'Host: a',
      ...fields,
      credential,
      'Content-Length: 1000000',
      '',
      '',
    ];
    await raw.send(head.join('\r\n'));
    assert.equal(status(await raw.nextResponse()), 200);
    await raw.closed;
  });

  test('a question in pieces, or of HTTP/1.0, is answered as any other', async () => {
    const fields = Object.entries(asking).map(([name, value]) => `${name}: ${value}`);
    for (const version of ['1.0', '1.1']) {
      const raw = await openRaw(port);
      const head = [`GET /doors/nginx HTTP/${version}`, 'Host: a', ...fields, credential, '', ''];
      await raw.sendBytewise(head.join('\r\n'));
      assert.equal(status(await raw.nextResponse()), 200);
      raw.destroy();
    }
  });

  test('each question is in the access log, as the request that it is about', async () => {
    await ask({ 'X-Original-Method': 'PROPFIND', 'X-Real-IP': '192.0.2.99' });
    await eventually('the line', () =>
      gateway.logLines().some(({ access }) => {
        const line = access as Readonly<Record<string, unknown>> | undefined;
        return (
          line?.['clientAddress'] === '192.0.2.99' && line['method'] === 'PROPFIND' && line['status'] === 200
        );
      }),
    );
  });
});

test('who is not in doors.trusted is answered 403, and nothing of it is read', async () => {
  const port = await freePort();
  const gateway = await startGateway({
    backend,
    config: { doors: { port, open: ['nginx'], trusted: ['127.0.0.2/32'] } },
  });
  try {
    const stranger = await openRaw(port);
    assert.equal(status(await stranger.nextResponse()), 403);
    await stranger.closed;
    const friend = await openRaw(port, { localAddress: '127.0.0.2' });
    await friend.send('GET /doors/nginx HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(status(await friend.nextResponse()), 500);
    friend.destroy();
  } finally {
    await gateway.stop();
  }
});
