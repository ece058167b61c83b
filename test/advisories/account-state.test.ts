import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { basic, route } from '../support/gateway.ts';
import { field, status, type HttpMessage } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { photos, startWire, type Wire } from './wire.ts';

/** Failed distinct secrets after which an account, or a client, has to wait. */
const failuresMax = 5;

describe('the state of an account', () => {
  let wire: Wire;
  let id: string;
  let value: string;
  before(async () => {
    wire = await startWire((backend) => ({
      routes: [route({ backend, mainPassword: 'allow' })],
      // A peer at 127.0.0.2 is a trusted proxy, one at 127.0.0.1 a stranger.
      config: {
        trustedProxies: ['127.0.0.2'],
        limits: { failuresPerAccount: failuresMax, failuresPerClient: 1_000 },
      },
    }));
    const create = ['token', 'create', '--user', 'alice', '--name', 'x', '--scope', '*', '--json'];
    ({ id, value } = JSON.parse(await wire.command(...create)) as { id: string; value: string });
  });
  after(() => wire?.stop());

  const ask = (authorization: string): Promise<HttpMessage> =>
    exchange(wire.gateway.port, 'GET', `${photos}/a`, [`Authorization: ${authorization}`]);

  test('has one user name, however it is written, and the backend sees that one [S7, CVE-2026-47203, CVE-2026-48794]', async () => {
    for (const spelling of ['alice', 'Alice', 'ALICE', 'ａｌｉｃｅ']) {
      wire.backend.forget();
      assert.equal(status(await ask(basic(spelling, value))), 200, spelling);
      assert.equal(field(wire.backend.requests[0] ?? { fields: [] }, 'X-Remote-User'), 'alice');
    }
    for (const other of ['alice ', ' alice', 'alice.', 'alicе', 'al\u200bice']) {
      assert.equal(status(await ask(basic(other, value))), 401, JSON.stringify(other));
    }
  });

  test('counts guesses once, whatever the spelling of the name, also on WebDAV [S8, S19, CVE-2025-24806, CVE-2026-84473]', async () => {
    const spellings = ['alice', 'Alice', 'ALICE', 'ａｌｉｃｅ', 'aLiCe'];
    for (let guess = 0; guess < failuresMax; guess += 1) {
      const wrong = basic(spellings[guess % spellings.length] ?? '', `a wrong password ${guess}`);
      const fields = [`Authorization: ${wrong}`, 'Depth: 0'];
      const answer = await exchange(wire.gateway.port, 'PROPFIND', `${photos}/`, fields);
      assert.equal(status(answer), 401);
    }
    for (const spelling of spellings) {
      const answer = await ask(basic(spelling, 'one more wrong password'));
      assert.equal(status(answer), 429, spelling);
      assert.match(field(answer, 'Retry-After') ?? '', /^\d+$/);
    }
    assert.equal(status(await ask(basic('alice', value))), 200, 'a valid token always passes');
    assert.equal(status(await ask(basic('bob', 'a wrong password'))), 401, 'and nobody else waits');
  });

  test('is judged by the address of the socket, or by what a trusted proxy says in one way [S8, CVE-2023-36456, CVE-2024-47070]', async () => {
    const bound = await wire.mint('--scope', '*', '--network', '192.0.2.0/24');
    const from = (localAddress: string, forwardedFor: string, credential = true): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = {
          'X-Forwarded-For': forwardedFor,
          ...(credential ? { Authorization: `Bearer ${bound}` } : {}),
        };
        const peer = { host: '127.0.0.1', port: wire.gateway.port, localAddress, agent: false };
        const outgoing = request({ ...peer, path: '/dav/a', headers }, (res) => {
          res.resume();
          resolve(res.statusCode ?? 0);
        });
        outgoing.once('error', reject);
        outgoing.end();
      });
    assert.equal(await from('127.0.0.2', '192.0.2.7'), 200, 'a trusted proxy is believed');
    assert.equal(await from('127.0.0.1', '192.0.2.7'), 401, 'a stranger is not');
    const claims = [
      'a',
      '',
      '192.0.2.7x',
      '192.0.2.7, a',
      '192.0.2.7, 198.51.100.1',
      '0x192.0.2.7',
      '192.0.2.007',
    ];
    for (const claim of claims) {
      assert.equal(await from('127.0.0.2', claim), 401, claim);
      assert.equal(await from('127.0.0.2', claim, false), 401, claim);
    }
  });

  test('is asked at every request: scopes taken away, then the user disabled, count at once, however warm [S6, S9, CVE-2021-41230, CVE-2025-64521]', async () => {
    const becomes = (code: number): Promise<true> =>
      eventually(`a ${code}`, async () => status(await ask(`Bearer ${value}`)) === code);
    await becomes(200);
    await wire.command('token', 'edit', id, '--scope', 'path:/dav/files/bob/:r');
    await becomes(403);
    await wire.command('user', 'disable', 'alice');
    await becomes(401);
    assert.ok([401, 429].includes(status(await ask(basic('alice', value)))));
  });
});
