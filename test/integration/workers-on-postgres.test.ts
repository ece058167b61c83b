import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { makeCertificates } from '../support/certificates.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

/** So many connections that each of two workers has some, all but one time in 2^15. */
const connections = 16;

describe('two workers on PostgreSQL, with TLS and doors', requirePostgres(), () => {
  let scratch: Scratch;
  let postgres: PostgresServer;
  let backend: RecordingBackend;
  let gateway: Gateway;
  let ca: string;
  let doors: { readonly port: number; readonly grpcPort: number };
  let token: string;
  before(async () => {
    scratch = await makeScratch('workers-on-postgres');
    ca = await makeCertificates(scratch);
    postgres = await startPostgres();
    backend = await startRecordingBackend();
    doors = { port: await freePort(), grpcPort: await freePort() };
    gateway = await startGateway({
      backend: backend.url,
      listen: {
        tls: {
          cert: { fromFile: scratch.file('server.pem') },
          key: { fromFile: scratch.file('server.key') },
        },
      },
      config: {
        workers: 2,
        store: postgres.url(await postgres.createDatabase()),
        doors: { ...doors, open: ['nginx', 'envoy'] },
      },
    });
    await gateway.user('alice');
    token = await gateway.token();
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
      () => postgres?.stop(),
      () => scratch?.remove(),
    ),
  );

  /** A status over a connection of its own. */
  async function overTls(): Promise<number | undefined> {
    const headers = { Authorization: basic('alice', token) };
    const asked = request({
      port: gateway.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca,
      headers,
      agent: false,
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [{ readonly statusCode?: number; resume(): void }];
    response.resume();
    return response.statusCode;
  }

  function atTheDoor(): Promise<number> {
    const fields = ['X-Original-Method: GET', 'X-Original-URI: /a.txt', 'X-Original-Host: gw.example'];
    const client = ['X-Original-Scheme: http', 'X-Real-IP: 203.0.113.7'];
    const authorization = `Authorization: ${basic('alice', token)}`;
    return exchange(doors.port, 'GET', '/doors/nginx', [...fields, ...client, authorization]).then(status);
  }

  const each = <T>(ask: () => Promise<T>): Promise<readonly T[]> =>
    Promise.all(Array.from({ length: connections }, ask));

  test('serve by TLS, at the doors, and over gRPC, whichever of them is asked', async () => {
    assert.deepEqual(new Set(await each(overTls)), new Set([200]));
    assert.deepEqual(new Set(await each(atTheDoor)), new Set([200]));
    const sessions = await each(async (): Promise<ClientHttp2Session> => {
      const session = connectHttp2(`http://127.0.0.1:${doors.grpcPort}`);
      await once(session, 'remoteSettings');
      return session;
    });
    for (const session of sessions) session.close();
  });

  test('all refuse a token that was revoked', async () => {
    const { stdout } = await gateway.command(['token', 'list', '--user', 'alice', '--json']);
    for (const { id } of JSON.parse(stdout) as readonly { readonly id: string }[]) {
      assert.equal((await gateway.command(['token', 'revoke', id])).code, 0);
    }
    const refused = async (ask: () => Promise<number | undefined>): Promise<boolean> =>
      (await each(ask)).every((answer) => answer === 401);
    await eventually('refusals by TLS', () => refused(overTls), { withinMs: 5_000 });
    await eventually('refusals at the doors', () => refused(atTheDoor), { withinMs: 5_000 });
  });
});
