import type { Allowance } from './ask.ts';
import type { DoorKind, DoorReply } from './door.ts';
import { createFamily } from './family.ts';
import { takenOff, toldInOrder } from './told.ts';
import { verbatim } from './verbatim.ts';

/** X-Forwarded-Method, -Uri, -Host, -Proto and -For: what Caddy and Traefik set over what a client sends. */
const family = {
  required: [
    'x-forwarded-method',
    'x-forwarded-uri',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-for',
  ],
};

/** Caddy `forward_auth`: relays every refusal, copies the fields it is told to, and forwards the target as it came. */
export const caddyDoor: DoorKind = {
  name: 'caddy',
  family: createFamily(family),
  proxy: { removes: takenOff, setsWhatIsTold: false, replacesTarget: false },
  told: toldInOrder,
  allow,
  refuse: verbatim,
};

/** Traefik ForwardAuth: relays every refusal, copies the fields it is told to, and forwards the target as it came. */
export const traefikDoor: DoorKind = {
  name: 'traefik',
  family: createFamily({ ...family, ignored: ['x-forwarded-server', 'x-forwarded-port'] }),
  proxy: { removes: takenOff, setsWhatIsTold: false, replacesTarget: false },
  told: toldInOrder,
  allow,
  refuse: verbatim,
};

function allow({ fields }: Allowance): DoorReply {
  return { status: 200, fields: [...fields, 'Cache-Control', 'no-store'], body: '' };
}
