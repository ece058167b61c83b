import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { type Envoy, type EnvoySurroundings, startEnvoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import {
  type RecordedRequest,
  type RecordingBackend,
  startRecordingBackend,
} from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';

const ways = [
  { example: 'http.yaml', name: 'over HTTP' },
  { example: 'grpc.yaml', name: 'over gRPC' },
] as const;

describe('Envoy that asks for every request', requireProgram('envoy'), () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let places: EnvoySurroundings;
  let token: string;
  let credential: string;
  before(async () => {
    backend = await startRecordingBackend();
    const [doors, grpc] = [await freePort(), await freePort()];
    gateway = await startGateway({
      backend: backend.url,
      route: {
        match: { path: '/dav/' },
        accept: ['basic', 'bearer', { query: 'session' }],
        identity: { user: 'X-Remote-User', assertion: 'X-Latchkey-Assertion' },
        backendOrigin: 'http://inside.example',
      },
      config: { doors: { port: doors, grpcPort: grpc, open: ['envoy'] } },
    });
    places = { backend: backend.port, doors, grpc };
    await gateway.user('alice');
    token = await gateway.token({ scopes: ['path:/dav/alice/:rw'] });
    credential = `Authorization: ${basic('alice', token)}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );
  beforeEach(() => backend.forget());

  /** The one request that reached the backend. */
  const forwarded = (): RecordedRequest => {
    const [only] = backend.requests;
    assert.ok(only !== undefined && backend.requests.length === 1, `${backend.requests.length} requests`);
    return only;
  };
  const assertNothingForwarded = (): void => assert.equal(backend.text(), '');

  for (const { example, name } of ways) {
    describe(name, () => {
      let envoy: Envoy;
      before(async () => {
        envoy = await startEnvoy(example, places);
      });
      after(() => envoy?.stop());

      const send = (
        method: string,
        target: string,
        fields: readonly string[] = [credential],
        body = '',
      ): Promise<HttpMessage> => exchange(envoy.port, method, target, fields, body);

      test('what a token allows reaches the backend with who asks, and without the credential', async () => {
        assert.equal(status(await send('GET', '/dav/alice/a%20b.txt?x=1')), 200);
        const { target } = forwarded();
        assert.equal(target, '/dav/alice/a%20b.txt?x=1');
        assert.equal(field(forwarded(), 'X-Remote-User'), 'alice');
        assert.match(field(forwarded(), 'X-Latchkey-Assertion') ?? '', /^ey[\w-]+\.ey[\w-]+\.[\w-]+$/);
        assert.equal(field(forwarded(), 'Authorization'), null);
        assert.doesNotMatch(backend.text(), /lk_/);
      });

      test('a body reaches the backend as it was sent', async () => {
        assert.equal(status(await send('PUT', '/dav/alice/a.txt', undefined, 'some bytes')), 200);
        assert.equal(forwarded().body.toString(), 'some bytes');
      });

      test('without a credential the client gets 401 with both challenges and the text', async () => {
        const answer = await send('PROPFIND', '/dav/alice/', ['Depth: 1']);
        assert.equal(status(answer), 401);
        const challenges = answer.fields.flatMap(([key, value]) =>
          key.toLowerCase() === 'www-authenticate' ? [value] : [],
        );
        assert.deepEqual(challenges, ['Basic realm="Latchkey", charset="UTF-8"', 'Bearer realm="Latchkey"']);
        assert.match(answer.body.toString(), /A valid app token is needed/);
        assertNothingForwarded();
      });

      test('what lies outside of the scope, or on no route, is refused with its own status', async () => {
        assert.equal(status(await send('GET', '/dav/bob/a.txt')), 403);
        assert.equal(status(await send('GET', '/elsewhere')), 404);
        assert.equal(status(await send('PROPFIND', '/dav/')), 403);
        assert.equal(status(await send('REPORT', '/dav/alice/', undefined, '<x/>')), 403);
        assertNothingForwarded();
      });

      test('paths that could be read in two ways are refused', async () => {
        for (const target of ['/dav/alice/%2e%2e/bob/x', '/dav/alice/..%2fbob/x', '/dav/alice/%00']) {
          assert.ok(status(await send('GET', target)) >= 400, target);
        }
        assertNothingForwarded();
      });

      test('identity that a client claims does not survive, in any spelling', async () => {
        const spoofed = ['X-Forwarded-User: mallory', 'X.Remote.User: mallory', 'Remote-User: mallory'];
        const more = [...spoofed, 'X-Original-URL: /dav/bob/'];
        assert.equal(status(await send('GET', '/dav/alice/a', [credential, ...more])), 200);
        assert.equal(field(forwarded(), 'X-Remote-User'), 'alice');
        assert.doesNotMatch(backend.text(), /mallory|bob/);
        backend.forget();
        assert.equal(status(await send('GET', '/dav/alice/a', [credential, 'X_Remote_User: mallory'])), 400);
        assertNothingForwarded();
      });

      test('identity that a client claims in the very header of a route is replaced or refused', async () => {
        const twice = ['X-Remote-User: mallory', 'x-remote-USER: mallory'];
        for (const spoofed of [['x-remote-USER: mallory'], twice, ['X-Latchkey-Assertion: mallory']]) {
          backend.forget();
          const answer = status(await send('GET', '/dav/alice/a', [credential, ...spoofed]));
          assert.doesNotMatch(backend.text(), /mallory/);
          assert.equal(answer, example === 'grpc.yaml' ? 200 : 400);
          if (answer === 200) assert.equal(field(forwarded(), 'X-Remote-User'), 'alice');
          else assertNothingForwarded();
        }
      });

      test('where a MOVE goes to is part of the decision', async () => {
        const to = (...paths: readonly string[]): readonly string[] => [
          credential,
          ...paths.map((path) => `Destination: http://gw.example${path}`),
        ];
        assert.equal(status(await send('MOVE', '/dav/alice/a', to('/dav/bob/a'))), 403);
        assert.equal(status(await send('MOVE', '/dav/alice/a')), 400);
        assert.equal(status(await send('MOVE', '/dav/alice/a', to('/dav/alice/b', '/dav/bob/b'))), 400);
        assertNothingForwarded();
        assert.equal(status(await send('MOVE', '/dav/alice/a', to('/dav/alice/b,c'))), 200);
        assert.equal(field(forwarded(), 'Destination'), 'http://inside.example/dav/alice/b,c');
      });

      test('Destination and If are in the words of backendOrigin, once', async () => {
        const fields = [
          'Destination: http://gw.example/dav/alice/b',
          'If: <http://gw.example/dav/alice/a> (["e"])',
        ];
        assert.equal(status(await send('MOVE', '/dav/alice/a', [credential, ...fields])), 200);
        const seen = forwarded().fields.filter(([key]) => /^(?:destination|if)$/i.test(key));
        assert.deepEqual(seen.map(([, value]) => value).toSorted(), [
          '<http://inside.example/dav/alice/a> (["e"])',
          'http://inside.example/dav/alice/b',
        ]);
      });

      test('a credential for a proxy is not passed on', async () => {
        const other = 'Proxy-Authorization: Basic bWFsbG9yeTp4';
        assert.equal(status(await send('GET', '/dav/alice/a', [credential, other])), 200);
        assert.equal(field(forwarded(), 'Proxy-Authorization'), null);
      });

      test('another method than the one decided on is not passed on', async () => {
        assert.equal(
          status(await send('POST', '/dav/alice/a', [credential, 'X-HTTP-Method-Override: PUT'])),
          200,
        );
        assert.equal(field(forwarded(), 'X-HTTP-Method-Override'), null);
      });

      test('two credentials, or one said twice, are refused', async () => {
        assert.equal(status(await send('GET', '/dav/alice/a', [credential, credential])), 400);
        assert.equal(status(await send('GET', `/dav/alice/a?session=${token}`)), 400);
        assertNothingForwarded();
      });

      test('a credential in the query never reaches the backend', async () => {
        const answer = await send('GET', `/dav/alice/a?x=1&session=${token}&y=2`, []);
        if (example === 'grpc.yaml') {
          assert.equal(status(answer), 200);
          assert.equal(forwarded().target, '/dav/alice/a?x=1&y=2');
        } else {
          assert.equal(status(answer), 400);
          assertNothingForwarded();
        }
        assert.doesNotMatch(backend.text(), /lk_/);
      });

      test('the client is told to the gateway by its own address, not by what it says of itself', async () => {
        const fields = [credential, 'X-Forwarded-For: 203.0.113.9', 'X-Envoy-External-Address: 203.0.113.9'];
        assert.equal(status(await send('GET', '/dav/alice/address', fields)), 200);
        await eventually('the access line', () => gateway.logLines().length > 0);
        const seen = gateway.logLines().flatMap(({ access }) => {
          const { clientAddress } = (access ?? {}) as { readonly clientAddress?: string };
          return clientAddress === undefined ? [] : [clientAddress];
        });
        assert.ok(seen.length > 0 && !seen.includes('203.0.113.9'), seen.join());
      });
    });
  }

  test('over HTTP, an Envoy that does not show where the client is asks wrongly: nothing passes', async () => {
    const envoy = await startEnvoy('http.yaml', places, (text) =>
      text.replace(/ +allowed_headers: .*\n/, '').replace(/ +status_on_error: .*\n/, ''),
    );
    try {
      assert.equal(status(await exchange(envoy.port, 'GET', '/dav/alice/a', [credential])), 403);
      assertNothingForwarded();
      await eventually('a line in the log', () =>
        gateway.logLines().some(({ problem }) => problem === 'x-forwarded-for is missing'),
      );
    } finally {
      await envoy.stop();
    }
  });

  test('over HTTP, what Envoy does not show is taken off the request: nobody has looked at it', async () => {
    const shown = '{ exact: x-forwarded-for }, { exact: x-forwarded-proto }';
    const envoy = await startEnvoy('http.yaml', places, (text) =>
      text.replace(/allowed_headers: .*\n/, `allowed_headers: { patterns: [${shown}] }\n`),
    );
    try {
      const unseen = [
        'Upload-Metadata: filename Li4vYm9i',
        'Depth: 0',
        'If: </dav/bob/> (<a:b>)',
        'Overwrite: F',
      ];
      const methods = ['X-HTTP-Method: DELETE', 'X-Method-Override: DELETE', 'Cookie: a=b'];
      const fields = [credential, ...unseen, ...methods, 'Destination: /dav/bob/x'];
      assert.equal(status(await exchange(envoy.port, 'PUT', '/dav/alice/a', fields, 'x')), 200);
      const names = forwarded().fields.map(([key]) => key.toLowerCase());
      const hidden = fields.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
      assert.deepEqual(
        names.filter((each) => hidden.includes(each)),
        [],
      );
      backend.forget();
      assert.equal(status(await exchange(envoy.port, 'MOVE', '/dav/alice/a', fields)), 400);
      assertNothingForwarded();
    } finally {
      await envoy.stop();
    }
  });

  test('over HTTP, a list of headers to set that lacks those of identity lets no client fill them in', async () => {
    const envoy = await startEnvoy('http.yaml', places, (text) =>
      text.replace(/ +- exact: x-(?:remote-user|latchkey-assertion)\n/g, ''),
    );
    try {
      const send = async (...fields: readonly string[]): Promise<number> =>
        status(await exchange(envoy.port, 'GET', '/dav/alice/a', [credential, ...fields]));
      assert.equal(await send('X-Remote-User: mallory'), 400);
      assert.equal(await send('X-Latchkey-Assertion: mallory'), 400);
      assertNothingForwarded();
      assert.equal(await send('X.Remote.User: mallory'), 200);
      assert.equal(field(forwarded(), 'X-Remote-User'), null);
      assert.doesNotMatch(backend.text(), /mallory|lk_/);
    } finally {
      await envoy.stop();
    }
  });

  for (const { example, name } of ways) {
    test(`${name}, lines that Envoy joins are refused where they could be two things`, async () => {
      const envoy = await startEnvoy(example, places, (text) =>
        text.replace('encode_raw_headers: true', 'encode_raw_headers: false'),
      );
      try {
        const to = (path: string): string => `Destination: http://gw.example${path}`;
        const move = (...fields: readonly string[]): Promise<HttpMessage> =>
          exchange(envoy.port, 'MOVE', '/dav/alice/a', [credential, ...fields]);
        assert.equal(status(await move(to('/dav/alice/b'), to('/dav/bob/b'))), 400);
        assert.equal(status(await move(to('/dav/alice/b'), 'Destination: /dav/bob/b')), 400);
        assert.equal(status(await move(to('/dav/alice/b'), 'Depth: 0', 'Depth: infinity')), 400);
        assertNothingForwarded();
        assert.equal(status(await move(to('/dav/alice/b'), 'Depth: infinity')), 200);
        assert.equal(field(forwarded(), 'Destination'), 'http://inside.example/dav/alice/b');
      } finally {
        await envoy.stop();
      }
    });

    test(`${name}, a gateway that cannot be asked is 503, and nothing passes`, async () => {
      const nobody = await freePort();
      const envoy = await startEnvoy(example, { ...places, doors: nobody, grpc: nobody });
      try {
        assert.equal(status(await exchange(envoy.port, 'GET', '/dav/alice/a', [credential])), 503);
        assertNothingForwarded();
      } finally {
        await envoy.stop();
      }
    });
  }

  test('a revoked token is refused at both doors from then on', async () => {
    const short = await gateway.token({ scopes: ['*'] });
    const envoys = [await startEnvoy('http.yaml', places), await startEnvoy('grpc.yaml', places)];
    try {
      const ask = async ({ port }: Envoy): Promise<number> =>
        status(await exchange(port, 'GET', '/dav/x', [`Authorization: Bearer ${short}`]));
      for (const envoy of envoys) assert.equal(await ask(envoy), 200);
      const listed = await gateway.command(['token', 'list', '--user', 'alice', '--json']);
      const all = JSON.parse(listed.stdout) as readonly { readonly id: string; readonly prefix: string }[];
      const id = all.find(({ prefix }) => short.startsWith(prefix))?.id ?? '';
      assert.equal((await gateway.command(['token', 'revoke', id])).code, 0);
      for (const envoy of envoys)
        await eventually('the token to be refused', async () => (await ask(envoy)) === 401);
    } finally {
      for (const envoy of envoys) await envoy.stop();
    }
  });
});
