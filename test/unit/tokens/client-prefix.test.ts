import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clientPrefix } from '../../../src/tokens/client-prefix.ts';

describe('the prefix of a client', () => {
  for (const [address, prefix] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::2:3:4:5:6', '1:0:0:2::/64'],
    ['2001:db8:1:2::192.0.2.1', '2001:db8:1:2::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ] as const) {
    test(`of ${address} is ${prefix}`, () => assert.equal(clientPrefix(address), prefix));
  }

  test('is the same for every IPv6 address of one network of 64 bits, in every spelling', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 4, maxLength: 4 }), fc.ipV6(), (network, other) => {
        const written = network.map((each) => each.toString(16));
        const padded = written.map((each) => each.padStart(4, '0').toUpperCase());
        const expected = `${written.join(':')}::/64`;
        assert.equal(clientPrefix(`${written.join(':')}:a:b:c:d`), expected);
        assert.equal(clientPrefix(`${padded.join(':')}::`), expected);
        assert.match(clientPrefix(other), /^(?:[0-9a-f]{1,4}:){4}:\/64$/);
      }),
    );
  });
});
