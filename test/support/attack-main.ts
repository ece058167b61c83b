/** Carries out one `Attack`, which is the first message, and reports when asked. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Attack, AttackReport } from './attack.ts';

const attack = (await once(process, 'message'))[0] as Attack;
const { port, connections, addresses = 100, perSecond = 2_000, again = true } = attack;

const open = new Map<Socket, number>();
const answers: Record<number, number> = {};
let opened = 0;
let cut = 0;
let failed = 0;
let longestMs = 0;
let connecting = 0;
let begun = false;
let over = false;
const hellos = typeof attack.hello === 'string' ? [attack.hello] : attack.hello;

function source(at: number): string {
  const host = (at % addresses) + 1;
  return `127.1.${host >> 8}.${host & 255}`;
}

function openOne(): void {
  connecting++;
  let status: number | null = null;
  let leaving = false;
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress: source(opened + connecting),
    allowHalfOpen: true,
  });
  const leave = (): void => {
    leaving = true;
    socket.resetAndDestroy();
  };
  socket.once('connect', () => {
    connecting--;
    opened++;
    open.set(socket, performance.now());
    socket.write(hellos[opened % hellos.length] ?? '', 'latin1');
    if (attack.halfClose === true) socket.end();
    if (attack.leave === 'at once') leave();
  });
  socket.on('error', () => undefined);
  const hear = (chunk: Buffer): void => {
    status ??= Number(/^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1', 0, 16))?.[1] ?? 0);
    if (attack.leave === 'answered') leave();
  };
  if (attack.read === undefined) socket.on('data', hear);
  else readSlowly(socket, attack.read, hear);
  // Whoever is cut off lets go at once; a FIN is what a gateway that is done with us sends.
  socket.once('end', () => socket.destroy());
  socket.once('close', () => {
    const since = open.get(socket);
    if (since === undefined) {
      connecting--;
      failed++;
    } else {
      open.delete(socket);
      longestMs = Math.max(longestMs, performance.now() - since);
      if (!leaving) cut++;
      if (status !== null || !leaving) answers[status ?? 0] = (answers[status ?? 0] ?? 0) + 1;
    }
  });
}

function readSlowly(socket: Socket, read: NonNullable<Attack['read']>, hear: (chunk: Buffer) => void): void {
  socket.pause();
  if (read === 'never') return;
  const timer = setInterval(() => {
    const chunk = socket.read(Math.min(read.bytes, Math.max(socket.readableLength, 1))) as Buffer | null;
    if (chunk !== null) hear(chunk);
  }, read.everyMs);
  socket.once('close', () => clearInterval(timer));
}

/** Opens what is missing, no faster than it may. */
const openingEveryMs = 10;
const startedMs = performance.now();
let due = 0;
const opening = setInterval(() => {
  due = Math.min(due + (perSecond * openingEveryMs) / 1_000, perSecond);
  const wanted = connections - connecting - (again ? open.size : opened);
  const now = Math.max(Math.min(Math.floor(due), wanted), 0);
  due -= now;
  for (let at = 0; at < now; at++) openOne();
  const isWhole =
    open.size >= connections ||
    (!again && opened + failed >= connections) ||
    attack.leave !== undefined ||
    performance.now() - startedMs > 10_000;
  if (!begun && isWhole) {
    begun = true;
    process.send?.('begun');
  }
}, openingEveryMs);

const { drip } = attack;
if (drip !== undefined) {
  // Spread over the whole time, so that they do not all come in one moment.
  const parts = Math.max(Math.min(Math.floor(drip.everyMs / 10), 100), 1);
  let part = 0;
  setInterval(() => {
    part = (part + 1) % parts;
    let at = 0;
    for (const socket of open.keys())
      if (at++ % parts === part && socket.writable) socket.write(drip.text, 'latin1');
  }, drip.everyMs / parts);
}

function report(): AttackReport {
  const now = performance.now();
  const oldestMs = Math.max(0, ...[...open.values()].slice(0, 1).map((since) => now - since));
  return { opened, open: open.size, cut, failed, answers, longestMs: Math.max(longestMs, oldestMs) };
}

process.on('message', (order) => {
  if (over) return;
  const answer = report();
  if (order === 'report') {
    process.send?.(answer);
    return;
  }
  over = true;
  clearInterval(opening);
  process.send?.(answer, () => process.exit(0));
});
process.on('disconnect', () => process.exit(0));
