import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { head, openRaw } from '../../support/raw-client.ts';
import { replying } from '../../support/recording-backend.ts';
import { authorized, startListener } from './listener-fixture.ts';

/** Small enough to be handed to the system in one piece; all together more than it takes. */
const answerBytes = 30_000;
const requests = 600;

for (const [title, first] of [
  ['on a connection of plain requests', ''],
  [
    'on any other connection',
    `${head('PUT', '/dav/a', [authorized, 'Transfer-Encoding: chunked'])}0\r\n\r\n`,
  ],
] as const) {
  test(`answers that nobody reads are waited for no longer than a body that does not move, ${title}`, async (t) => {
    const { port, backend, records } = await startListener(t, {
      idleMs: 1_000,
      headMs: 1_000,
      requestsPerToken: 1_000,
    });
    backend.answerWith(replying(200, 'b'.repeat(answerBytes)));
    const raw = await openRaw(port);
    raw.socket.pause();
    await raw.send(first + head('GET', '/dav/a', [authorized]).repeat(requests));
    const isCut = (): boolean => records.some(({ outcome }) => outcome === 'aborted');
    await eventually('the connection to be cut', isCut, { withinMs: 60_000 });
    raw.destroy();
  });
}
