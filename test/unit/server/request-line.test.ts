import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { head, openRaw } from '../../support/raw-client.ts';
import { authorized, startListener } from './listener-fixture.ts';

describe('a request line (RFC 9112 section 3)', () => {
  test('is exact wherever its bytes were cut, and behind another request and its body', async (t) => {
    const { port, backend } = await startListener(t);
    const raw = await openRaw(port);
    await raw.sendBytewise(head('GET', '/dav/a', [authorized]));
    assert.match((await raw.nextResponse()).startLine, / 200 /);
    const put = `${head('PUT', '/dav/b', [authorized, 'Content-Length: 5'])}hello`;
    await raw.send(put + head('GET', '/dav/c', [authorized]));
    assert.match((await raw.nextResponse()).startLine, / 200 /);
    assert.match((await raw.nextResponse()).startLine, / 200 /);
    await eventually('the backend has all', () => backend.requests.length === 3);
    raw.destroy();
  });

  test('with several spaces is refused, also where a field holds the exact one', async (t) => {
    const { port, backend } = await startListener(t);
    for (const line of ['GET  /dav/a HTTP/1.1', 'GET /dav/a  HTTP/1.1']) {
      for (const extra of ['', 'X: GET /dav/a HTTP/1.1\r\n']) {
        const raw = await openRaw(port);
        await raw.send(`${line}\r\nHost: gw.example\r\n${authorized}\r\n${extra}\r\n`);
        assert.match((await raw.nextResponse()).startLine, / 400 /, line + extra);
        await raw.closed;
      }
    }
    assert.equal(backend.requests.length, 0);
  });
});
