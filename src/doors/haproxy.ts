import type { Allowance } from './ask.ts';
import type { DoorKind, DoorReply } from './door.ts';
import { createFamily } from './family.ts';
import { toldInOrder } from './told.ts';
import { targetField } from './nginx.ts';
import { verbatim } from './verbatim.ts';

/**
 * HAProxy by the Lua action of `examples/haproxy`: X-Latchkey-Method, -Target, -Host, -Scheme and -Client, which the
 * action takes off what a client sends. It relays every refusal, forwards the target it is told, and takes off and sets
 * whatever it is told.
 */
export const haproxyDoor: DoorKind = {
  name: 'haproxy',
  family: createFamily({
    required: [
      'x-latchkey-method',
      'x-latchkey-target',
      'x-latchkey-host',
      'x-latchkey-scheme',
      'x-latchkey-client',
    ],
  }),
  proxy: { removes: null, setsWhatIsTold: true, replacesTarget: true },
  told: toldInOrder,
  allow,
  refuse: verbatim,
};

/** Names and fields stand in lists, so that the action needs to know none of them. */
function allow({ fields, removed, target }: Allowance): DoorReply {
  const told: string[] = ['Cache-Control', 'no-store', targetField, target];
  for (const name of removed) told.push('X-Latchkey-Remove', name);
  for (let at = 0; at < fields.length; at += 2)
    told.push('X-Latchkey-Set', `${fields[at]}: ${fields[at + 1]}`);
  return { status: 200, fields: told, body: '' };
}
