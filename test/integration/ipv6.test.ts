import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, route, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange, openRaw } from '../support/raw-client.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireIpv6 } from '../support/requirement.ts';

const here = { host: '::1' };
const proxies = '2001:db8:1::/48';

/** The fields of a question of nginx about a GET by this client. */
function asNginx(client: string, host: string): readonly string[] {
  return [
    'X-Original-Method: GET',
    'X-Original-URI: /preserve/a',
    `X-Original-Host: ${host}`,
    'X-Original-Scheme: http',
    `X-Real-IP: ${client}`,
  ];
}

for (const [listening, host] of [
  ['on every address', '::'],
  ['on ::1', '::1'],
] as const) {
  describe(`IPv6 from end to end, listening ${listening}`, requireIpv6(), () => {
    let backend: RecordingBackend;
    let gateway: Gateway;
    let doorPort: number;
    let authorization: string;
    let ownHost: string;
    before(async () => {
      backend = await startRecordingBackend(here);
      doorPort = await freePort();
      const at = (name: string, fields = {}): ReturnType<typeof route> =>
        route({ name, match: { path: `/${name}/` }, backend: backend.url, ...fields });
      gateway = await startGateway({
        routes: [at('preserve'), at('backend', { host: 'backend' })],
        listen: { host },
        adminHost: host,
        config: {
          trustedProxies: ['::1/128', proxies],
          doors: { host, port: doorPort, trusted: ['::1/128'], open: ['nginx'] },
        },
      });
      ownHost = `[::1]:${gateway.port}`;
      await gateway.user('alice');
      authorization = `Authorization: Bearer ${await gateway.token()}`;
    });
    after(() =>
      endAll(
        () => gateway?.stop(),
        () => backend?.close(),
      ),
    );
    beforeEach(() => {
      backend.forget();
      backend.answerWith(replying(200, 'fine'));
    });

    const call = async (
      method: string,
      target: string,
      fields: readonly string[] = [],
      asked = ownHost,
    ): Promise<HttpMessage> => {
      const raw = await openRaw(gateway.port, here);
      try {
        const lines = [`${method} ${target} HTTP/1.1`, `Host: ${asked}`, authorization, ...fields];
        await raw.send(`${lines.join('\r\n')}\r\n\r\n`, method);
        return await raw.nextResponse();
      } finally {
        raw.destroy();
      }
    };
    const seen = (name: string): string | null => field(backend.requests.at(-1) ?? { fields: [] }, name);

    test('the backend gets the Host that the client asked for, brackets and port included', async () => {
      assert.equal(status(await call('GET', '/preserve/a')), 200);
      assert.equal(seen('host'), ownHost);
    });

    test("Destination names the backend's own address where it is sent that Host", async () => {
      const to = `Destination: http://${ownHost}/backend/b`;
      assert.equal(status(await call('MOVE', '/backend/a', [to])), 200);
      assert.equal(seen('host'), `[::1]:${backend.port}`);
      assert.equal(seen('destination'), `${backend.url}/backend/b`);
    });

    test('Destination keeps the own address where the Host is preserved, and no other is accepted', async () => {
      const move = async (authority: string): Promise<number> =>
        status(await call('MOVE', '/preserve/a', [`Destination: http://${authority}/preserve/b`]));
      assert.equal(await move(ownHost), 200);
      assert.equal(seen('destination'), `http://${ownHost}/preserve/b`);
      assert.equal(await move('[::2]'), 400);
      assert.equal(backend.requests.length, 1);
    });

    test("a Location of the backend becomes one of the gateway's", async () => {
      backend.answerWith(replying(201, '', [`Location: ${backend.url}/backend/b`]));
      assert.equal(field(await call('PUT', '/backend/b'), 'location'), `http://${ownHost}/backend/b`);
    });

    test('a Host with a zone is refused', async () => {
      assert.equal(status(await call('GET', '/preserve/a', [], '[fe80::1%25eth0]')), 400);
      assert.equal(backend.requests.length, 0);
    });

    test('the admin listener answers', async () => {
      assert.equal(await gateway.adminStatus('/readyz'), 200);
      assert.ok((await gateway.metric('latchkey_http_requests_total')) > 0);
    });

    test('a door answers who is trusted by an address of IPv6, and hears of a client that has one', async () => {
      const question = [...asNginx('2001:db8::7', ownHost), authorization];
      const answer = await exchange(doorPort, 'GET', '/doors/nginx', question, '', here);
      assert.equal(status(answer), 200, answer.head);
      assert.equal(field(answer, 'x-remote-user'), 'alice');
      await eventually('the access line', () =>
        gateway
          .logLines()
          .some(({ access }) => (access as { clientAddress?: string })?.clientAddress === '2001:db8::7'),
      );
    });

    test('the start says where', () => {
      const output = gateway.output();
      assert.ok(output.includes(`latchkey listens on port ${gateway.port} (${host})`));
      assert.ok(output.includes(`/preserve/ → ${backend.url} (preserve)`));
    });

    test('the doctor reaches the backend', async () => {
      const { stdout } = await gateway.command(['doctor']);
      assert.ok(
        stdout.includes(`route preserve: ${backend.url}: answers OPTIONS /preserve/ with 200`),
        stdout,
      );
    });

    test('a peer in a trusted block says for whom it comes, as far as the chain is of trusted blocks', async () => {
      const forwarded = async (...hops: readonly string[]): Promise<string | null> => {
        assert.equal(status(await call('GET', '/preserve/a', [`X-Forwarded-For: ${hops.join(', ')}`])), 200);
        return seen('x-forwarded-for');
      };
      const chain = '2001:db8:2::7, 2001:db8:1::9, ::1';
      assert.equal(await forwarded('2001:db8:2::7', '2001:db8:1::9'), chain);
      assert.equal(await forwarded('[2001:DB8:2:0::7]:51000', '2001:db8:1:0::9'), chain, 'in one spelling');
      assert.equal(await forwarded('2001:db8:3::8', '2001:db8:2::7', '2001:db8:1::9'), chain, 'no hearsay');
      assert.equal(await forwarded('2001:db8:1::9', '2001:db8:2::7'), '2001:db8:2::7, ::1');
    });

    test('a peer outside of every trusted block is not believed', async () => {
      await gateway.rewriteConfig({ trustedProxies: [proxies] });
      gateway.hup();
      const fields = ['X-Forwarded-For: 2001:db8:1::9', 'X-Forwarded-Proto: https'];
      await eventually('its own address alone', async () => {
        await call('GET', '/preserve/a', fields);
        return seen('x-forwarded-for') === '::1';
      });
      assert.equal(seen('x-forwarded-proto'), 'http');
    });
  });
}

test('a door turns away who comes from another block of IPv6 than it trusts', requireIpv6(), async () => {
  const port = await freePort();
  const gateway = await startGateway({
    backend: 'http://[::1]:9',
    config: { doors: { host: '::1', port, trusted: [proxies, '127.0.0.0/8'], open: ['nginx'] } },
  });
  try {
    const question = asNginx('2001:db8::7', 'gw.example');
    assert.equal(status(await exchange(port, 'GET', '/doors/nginx', question, '', here)), 403);
    await eventually('a line in the log', () => /not in doors\.trusted/.test(gateway.output()));
  } finally {
    await gateway.stop();
  }
});
