import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ClientSide, createClientSideReader, plainAddress } from '../../../src/gateway/client-side.ts';

const trusted = ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'];

function read(
  peer: string,
  fields: { readonly for?: string; readonly proto?: string; readonly host?: string },
  proxies: readonly string[] = trusted,
): ClientSide {
  return createClientSideReader(proxies).read(peer, false, { for: null, proto: null, host: null, ...fields });
}

describe('the client of a peer that is not trusted', () => {
  test('is the peer, whatever it forwards', () => {
    const fields = { for: '1.1.1.1', proto: 'https', host: 'evil.test' };
    const expected = { address: '8.8.8.8', forwardedFor: '8.8.8.8', scheme: 'http', host: null };
    assert.deepEqual(read('8.8.8.8', fields), expected);
    assert.deepEqual(read('8.8.8.8', fields, []), expected);
  });

  test('speaks the scheme of its socket', () => {
    const none = { for: null, proto: null, host: null };
    assert.equal(createClientSideReader([]).read('8.8.8.8', true, none).scheme, 'https');
  });

  test('may have no address at all, as when its socket is gone', () => {
    assert.equal(read('', { for: '1.1.1.1' }).address, '');
  });
});

describe('the client behind trusted proxies', () => {
  test('is the last address that is not a trusted proxy', () => {
    assert.equal(read('10.0.0.1', { for: '6.6.6.6, 8.8.8.8, 10.0.0.2' }).address, '8.8.8.8');
    assert.equal(read('192.0.2.1', { for: '8.8.8.8' }).address, '8.8.8.8');
  });

  test('is the first proxy where all are trusted, and the peer where nothing is forwarded', () => {
    assert.equal(read('10.0.0.1', { for: '10.0.0.3,10.0.0.2' }).address, '10.0.0.3');
    assert.equal(read('10.0.0.1', {}).address, '10.0.0.1');
    assert.equal(read('10.0.0.1', { for: ' , ' }).address, '10.0.0.1');
  });

  test('heads the chain for the backend: what it claimed itself is left out', () => {
    const side = read('10.0.0.1', { for: '127.0.0.1, 8.8.8.8, 10.0.0.2' });
    assert.equal(side.forwardedFor, '8.8.8.8, 10.0.0.2, 10.0.0.1');
  });

  test('is unknown, not its proxy, where the proxy would not tell: a token bound to the inner network stays bound', () => {
    for (const hop of ['unknown', '_hidden', 'x', '10.0.0', '1.2.3.4.5', '[::1', '10.0.0.5 10.0.0.6']) {
      const side = read('10.0.0.1', { for: `8.8.8.8, ${hop}` });
      assert.equal(side.address, 'unknown', hop);
      assert.equal(side.forwardedFor, 'unknown, 10.0.0.1', hop);
    }
  });

  test('is found behind a port and in brackets', () => {
    assert.equal(read('10.0.0.1', { for: '8.8.8.8:4711' }).address, '8.8.8.8');
    assert.equal(read('10.0.0.1', { for: '[2001:db8::1]:4711' }).address, '2001:db8::1');
    assert.equal(read('10.0.0.1', { for: '[2001:db8::1]' }).address, '2001:db8::1');
  });

  test('has one spelling', () => {
    for (const hop of ['::ffff:8.8.8.8', '::FFFF:8.8.8.8', '::ffff:808:808', '0:0:0:0:0:ffff:808:808']) {
      assert.equal(read('10.0.0.1', { for: hop }).address, '8.8.8.8', hop);
    }
    assert.equal(read('10.0.0.1', { for: '2001:DB8:0:0::1' }).address, '2001:db8::1');
  });

  test('is not hidden by a trusted address in IPv4-mapped form', () => {
    assert.equal(read('10.0.0.1', { for: '8.8.8.8, ::ffff:10.0.0.2' }).address, '8.8.8.8');
  });

  test('may have a link-local address with a zone', () => {
    assert.equal(read('fd00::1', { for: 'fe80::1%eth0' }).address, 'fe80::1');
    assert.equal(read('fe80::1%eth0', {}).address, 'fe80::1%eth0');
  });

  test('speaks the forwarded scheme where that is one, else that of the socket', () => {
    assert.equal(read('10.0.0.1', { proto: 'HTTPS' }).scheme, 'https');
    for (const proto of ['', 'https, http', 'wss', 'javascript']) {
      assert.equal(read('10.0.0.1', { proto }).scheme, 'http', proto);
    }
  });

  test('asks for the forwarded host', () => {
    assert.equal(read('10.0.0.1', { host: 'gw.example' }).host, 'gw.example');
    assert.equal(read('10.0.0.1', {}).host, null);
  });

  test('equals what a naive walk finds, and is the head of the chain', () => {
    const blocks = new BlockList();
    blocks.addSubnet('10.0.0.0', 8, 'ipv4');
    blocks.addSubnet('fd00::', 8, 'ipv6');
    blocks.addAddress('192.0.2.1', 'ipv4');
    const hop = fc.oneof(
      fc.ipV4(),
      fc.constantFrom('10.0.0.7', '192.0.2.1', 'fd00::2', 'unknown', '', '2001:db8::1', '10.1.1.1'),
    );
    fc.assert(
      fc.property(fc.constantFrom('10.0.0.1', 'fd00::1', '9.9.9.9'), fc.array(hop), (peer, hops) => {
        let client: string = peer;
        for (const next of hops.filter((one) => one !== '').toReversed()) {
          if (isIP(client) === 0 || !blocks.check(client, isIP(client) === 6 ? 'ipv6' : 'ipv4')) break;
          client = isIP(next) === 0 ? 'unknown' : next;
        }
        const side = read(peer, { for: hops.join(', ') });
        assert.equal(side.address, client);
        assert.equal(side.forwardedFor.split(', ')[0], client);
        assert.equal(side.forwardedFor.split(', ').at(-1), peer);
      }),
      { numRuns: 500 },
    );
  });
});

test('a plain address is shortened only from its IPv4-mapped form', () => {
  assert.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(plainAddress('::1'), '::1');
  assert.equal(plainAddress('::ffff:a:b'), '::ffff:a:b');
  assert.equal(plainAddress(''), '');
});
