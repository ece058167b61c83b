import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer, Asked } from '../../../src/doors/ask.ts';
import type { DoorReply } from '../../../src/doors/door.ts';
import { openEnvoyDoor } from '../../../src/doors/envoy.ts';
import { createClientSideReader } from '../../../src/gateway/client-side.ts';

const allowed: Answer = {
  kind: 'allow',
  fields: ['X-Remote-User', 'alice'],
  removed: ['Authorization', 'X_Remote_User'],
  target: '/dav/a',
};

/** What Envoy 1.40 sends with every header allowed, recorded, as far as it matters here. */
const sent: readonly string[] = [
  ...['host', 'files.example.org', 'content-length', '0', 'user-agent', 'curl', 'depth', '0'],
  ...['x-forwarded-for', '9.9.9.9,192.0.2.7', 'x-forwarded-proto', 'https', 'authorization', 'Bearer x'],
  ...['x-request-id', 'r', 'x-envoy-internal', 'true', 'x-envoy-expected-rq-timeout-ms', '1000'],
];

interface Heard {
  readonly reply: DoorReply;
  readonly asked: readonly Asked[];
  readonly problems: readonly string[];
}

async function hear(
  rawHeaders: readonly string[],
  rest = '/dav/a',
  answer: Answer = allowed,
): Promise<Heard> {
  const asked: Asked[] = [];
  const problems: string[] = [];
  const door = openEnvoyDoor({
    ask: (question) => {
      asked.push(question);
      return answer;
    },
    clientSide: () => createClientSideReader([]),
    misasked: (name, problem) => void problems.push(`${name}: ${problem}`),
  });
  const reply = await door.answer({ method: 'PROPFIND', rest, rawHeaders });
  return { reply, asked, problems };
}

function without(name: string): readonly string[] {
  const at = sent.indexOf(name);
  return [...sent.slice(0, at), ...sent.slice(at + 2)];
}

describe('what Envoy asks over HTTP', () => {
  test('is the request of the client: its method, the path behind the door, Host and the address Envoy saw', async () => {
    const { asked } = await hear(sent, '/dav/a%20b?x=1');
    assert.equal(asked.length, 1);
    const { method, target, host, scheme, clientAddress, rawHeaders } = asked[0] as Asked;
    assert.deepEqual(
      { method, target, host, scheme, clientAddress },
      {
        ...{ method: 'PROPFIND', target: '/dav/a%20b?x=1', host: 'files.example.org' },
        ...{ scheme: 'https', clientAddress: '192.0.2.7' },
      },
    );
    const names = rawHeaders.filter((_, at) => at % 2 === 0);
    assert.deepEqual(names, ['user-agent', 'depth', 'authorization', 'x-request-id']);
  });

  for (const name of ['host', 'x-forwarded-for', 'x-forwarded-proto']) {
    test(`without ${name}, or with two of them, is answered 500, named in the log and not decided on`, async () => {
      const twice = [...sent, name, sent[sent.indexOf(name) + 1] as string];
      for (const [fields, problem] of [
        [without(name), `envoy: ${name} is missing`],
        [twice, `envoy: ${name} stands twice`],
      ] as const) {
        const { reply, asked, problems } = await hear(fields);
        assert.deepEqual([reply.status, asked, problems], [500, [], [problem]]);
      }
    });
  }

  for (const [title, fields] of [
    ['an address that is none', ['x-forwarded-for', 'somewhere']],
    ['a scheme that is none', ['x-forwarded-proto', 'ftp']],
  ] as const) {
    test(`with ${title} is refused and not decided on`, async () => {
      const { reply, asked, problems } = await hear([...without(fields[0]), ...fields]);
      assert.deepEqual([reply.status, asked.length, problems.length], [403, 0, 1]);
    });
  }

  test('about no path is not decided on', async () => {
    for (const rest of ['', '?x=1']) {
      const { reply, asked } = await hear(sent, rest);
      assert.ok(reply.status >= 400 && asked.length === 0, rest);
    }
  });

  test('is answered with what Envoy is to set and to remove; what was looked at is set, what was not is removed', async () => {
    const { reply } = await hear(sent);
    assert.equal(reply.status, 200);
    const at = reply.fields.indexOf('x-envoy-auth-headers-to-remove');
    const removed = (reply.fields[at + 1] as string).split(', ');
    assert.deepEqual(reply.fields.slice(0, 4), ['X-Remote-User', 'alice', 'depth', '0']);
    for (const name of [
      'authorization',
      'x_remote_user',
      'destination',
      'if',
      'upload-metadata',
      'x-http-method',
    ]) {
      assert.ok(removed.includes(name), name);
    }
    assert.ok(!removed.includes('depth') && !removed.includes('x-remote-user'));
  });

  test('is refused with the status, the challenges and the text of the refusal', async () => {
    const fields = ['Content-Length', '2', 'WWW-Authenticate', 'Basic', 'WWW-Authenticate', 'Bearer'];
    const { reply } = await hear(sent, '/dav/a', {
      kind: 'refuse',
      status: 401,
      fields,
      body: 'no',
      challenge: [],
    });
    assert.deepEqual(reply, { status: 401, fields: fields.slice(2), body: 'no' });
  });
});
