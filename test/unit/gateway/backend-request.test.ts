import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backendFields, hostFor, responseAddresses } from '../../../src/gateway/backend-request.ts';
import type { Allowed } from '../../../src/gateway/decide.ts';
import { parseIf } from '../../../src/gateway/if-header.ts';
import { readOwnUrl } from '../../../src/gateway/own-url.ts';
import { allowed, principal } from './route-fixture.ts';

const backend = { scheme: 'http', authority: '127.0.0.1:8008' } as const;
const token = `lk_${'aB3'.repeat(14)}`;

function sent(request: Allowed, assertion: string | null = null): Map<string, string> {
  const fields = backendFields(request, backend, 'request-1', assertion);
  const names = fields.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  assert.equal(new Set(names).size, names.length, 'no field stands twice');
  return new Map(names.map((name, at) => [name, fields[at * 2 + 1] as string]));
}

describe('the fields for a backend', () => {
  test('are those of the client that may pass, and those of the gateway', () => {
    const fields = [
      'Accept',
      '*/*',
      'X-Remote-User',
      'root',
      'X-Forwarded-For',
      '6.6.6.6',
      'X-Request-Id',
      'x',
    ];
    assert.deepEqual(
      [...sent(allowed({}, [...fields, 'Authorization', `Bearer ${token}`]))],
      [
        ['accept', '*/*'],
        ['host', 'gw.example'],
        ['x-forwarded-for', '192.0.2.7'],
        ['x-forwarded-proto', 'http'],
        ['x-forwarded-host', 'gw.example'],
        ['x-request-id', 'request-1'],
        ['x-remote-user', 'alice'],
      ],
    );
  });

  test('identify the user as the route says, and by assertion where it wants one', () => {
    const identity = {
      user: null,
      assertion: 'X-Proof',
      headers: { 'X-Who': '{user}/{userId}', 'X-Via': '{tokenId}@{route}' },
    };
    const { userId, tokenId } = principal();
    const fields = sent(allowed({ identity, name: 'files' }), 'jwt');
    assert.equal(fields.get('x-proof'), 'jwt');
    assert.equal(fields.get('x-who'), `alice/${userId}`);
    assert.equal(fields.get('x-via'), `${tokenId}@files`);
    assert.equal(fields.has('x-remote-user'), false);
    assert.equal(sent(allowed({ identity })).has('x-proof'), false);
  });

  test('hold no identity header at all where the route sends none', () => {
    const identity = { user: null, assertion: null, headers: {} };
    assert.equal(sent(allowed({ identity }, ['X-Remote-User', 'root'])).has('x-remote-user'), false);
  });

  test("hold the gateway's own credential, never the client's", () => {
    const client = ['Authorization', `Bearer ${token}`];
    const account = { kind: 'serviceAccount', user: 'svc', password: 'p:w' } as const;
    const shared = { kind: 'sharedSecret', secret: 's' } as const;
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    assert.equal(sent(allowed({ backendAuth: { kind: 'none' } }, client)).has('authorization'), false);
    assert.equal(sent(allowed({ backendAuth: account }, client)).get('authorization'), basic('svc:p:w'));
    assert.equal(sent(allowed({ backendAuth: shared }, client)).get('authorization'), basic('alice:s'));
  });
});

describe('the Host for a backend', () => {
  test('is what the client asked for, the backend itself, or a fixed name', () => {
    assert.equal(hostFor(allowed({ host: 'preserve' }), backend), 'gw.example');
    assert.equal(hostFor(allowed({ host: 'backend' }), backend), '127.0.0.1:8008');
    assert.equal(hostFor(allowed({ host: 'inner.example' }), backend), 'inner.example');
  });
});

describe('Destination and If for a backend (RFC 4918 sections 10.3 and 10.4)', () => {
  const destination = readOwnUrl('/dav/b%20c', 'gw.example');
  const ifHeader = parseIf('<http://gw.example/dav/a> (<urn:uuid:1>)', 'gw.example');
  const permit = { kind: 'permit', destination, dropDestination: false, ifHeader, body: null } as const;

  test('name the origin that the backend believes it has, with the original bytes', () => {
    const preserved = sent(allowed({}, [], { permit }));
    assert.equal(preserved.get('destination'), 'http://gw.example/dav/b%20c');
    assert.equal(preserved.get('if'), '<http://gw.example/dav/a> (<urn:uuid:1>)');
    const own = sent(allowed({ host: 'backend' }, [], { permit }));
    assert.equal(own.get('destination'), 'http://127.0.0.1:8008/dav/b%20c');
    const configured = sent(allowed({ backendOrigin: 'https://believed.example' }, [], { permit }));
    assert.equal(configured.get('destination'), 'https://believed.example/dav/b%20c');
    assert.equal(configured.get('if'), '<https://believed.example/dav/a> (<urn:uuid:1>)');
  });

  test('are not sent unless they were read and allowed', () => {
    const fields = sent(allowed({}, ['Destination', 'http://gw.example/x', 'If', '(<urn:uuid:1>)']));
    assert.equal(fields.has('destination') || fields.has('if'), false);
  });
});

describe('the Referer for a backend', () => {
  const referer = (
    value: string,
    accept: Allowed['route']['config']['accept'] = ['basic'],
  ): string | undefined => sent(allowed({ accept }, ['Referer', value])).get('referer');

  test('passes as it is where it holds no credential', () => {
    assert.equal(referer('http://gw.example/a?b=c'), 'http://gw.example/a?b=c');
  });

  test('loses its query where a token may stand in it, encoded or not', () => {
    assert.equal(referer(`http://gw.example/a?session=${token}`), 'http://gw.example/a');
    assert.equal(referer(`http://gw.example/a?session=%6ck_${token.slice(3)}`), 'http://gw.example/a');
    assert.equal(
      referer('http://gw.example/a?session=secret', [{ query: 'session' }]),
      'http://gw.example/a',
    );
  });

  test('of any length is read in time that grows with its length', { timeout: 10_000 }, () => {
    const long = `http://gw.example/${'?'.repeat(262_144)}`;
    const request = allowed({});
    // Longer than any that the head's own limit lets through.
    const head = { ...request.head, referer: long };
    assert.equal(sent({ ...request, head }).get('referer'), long);
  });

  test('is left out where a token stands before the query', () => {
    assert.equal(referer(`http://alice:${token}@gw.example/a`), undefined);
  });
});

test('URLs in a response map back from the Host sent, the backend itself and the origin it believes in', () => {
  const addresses = responseAddresses(
    allowed({ host: 'inner', backendOrigin: 'https://believed.example' }),
    backend,
  );
  assert.deepEqual(addresses, {
    backendAuthorities: ['inner', '127.0.0.1:8008', 'believed.example'],
    clientOrigin: 'http://gw.example',
    besideOwnPages: false,
  });
});
