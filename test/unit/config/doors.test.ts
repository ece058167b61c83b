import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loaded, problems } from './in-memory-sources.ts';

function doors(text: string): string {
  return `backend: http://127.0.0.1:8008\ndoors: ${text}\n`;
}

describe('the doors', () => {
  test('are closed unless a port is named, and then trust this machine alone', () => {
    const expected = {
      host: '127.0.0.1',
      port: null,
      trusted: ['127.0.0.0/8', '::1/128'],
      open: [],
      grpcPort: null,
    };
    assert.deepEqual(loaded({ yaml: 'backend: http://127.0.0.1:8008' }).config.doors, expected);
    assert.deepEqual(loaded({ yaml: doors('{ port: 8082, open: [nginx] }') }).config.doors, {
      ...expected,
      port: 8082,
      open: ['nginx'],
    });
  });

  for (const [text, expected] of [
    ['{ open: [nginx] }', /doors\.open: opens nothing without doors\.port/],
    ['{ port: 8082, open: [apache] }', /doors\.open\[0\]: must be nginx, ingress-nginx, caddy/],
    ['{ port: 8082, grpcPort: 8083, open: [nginx] }', /doors\.grpcPort: is where Envoy asks: add envoy/],
    ['{ port: 8080 }', /doors\.port: is 8080, which is the port for clients too/],
    ['{ port: 8081 }', /doors\.port: is 8081, which is admin\.port too/],
    ['{ port: 8082, grpcPort: 8082, open: [envoy] }', /doors\.grpcPort: is 8082, which is doors\.port too/],
    ['{ port: 8082, trusted: [everybody] }', /doors\.trusted\[0\]: must be an address or a CIDR block/],
    [
      '{ port: 8082, trusted: [] }',
      /doors\.trusted: would refuse everybody: name the addresses of the proxies/,
    ],
    ['{ port: 8082, trust: [::1] }', /doors\.trust: .*trusted/],
  ] as const) {
    test(`${text} is refused with what is wrong`, () => {
      assert.match(problems({ yaml: doors(text) }).join('\n'), expected);
    });
  }
});
