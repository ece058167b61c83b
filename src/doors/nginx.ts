import type { Refusing } from './ask.ts';
import type { DoorKind, DoorReply } from './door.ts';
import { createFamily } from './family.ts';
import { takenOff, toldInOrder } from './told.ts';

/** Where nginx finds the target to forward. */
export const targetField = 'X-Latchkey-Target';

/**
 * nginx `auth_request`: X-Original-Method, -URI, -Host and -Scheme, and the client in X-Real-IP, all set by its
 * configuration. It understands 200, 401 and 403 alone, and relays no body.
 */
export const nginxDoor: DoorKind = {
  name: 'nginx',
  family: createFamily({
    required: ['x-original-method', 'x-original-uri', 'x-original-host', 'x-original-scheme', 'x-real-ip'],
  }),
  proxy: { removes: takenOff, setsWhatIsTold: false, replacesTarget: true },
  told: toldInOrder,
  allow: ({ fields, target }) => ({
    status: 200,
    fields: [...fields, targetField, target, 'Cache-Control', 'no-store'],
    body: '',
  }),
  refuse: narrowed,
};

/**
 * A refusal in what `auth_request` understands: 401 and 429 are a matter of the credential, other 4xx are 403; 5xx stay,
 * and nginx makes 500 of them. Without a body nginx keeps the connection.
 */
export function narrowed({ status, fields, challenge }: Refusing): DoorReply {
  const kept: string[] = ['Cache-Control', 'no-store'];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (name === 'WWW-Authenticate' || name === 'Retry-After') kept.push(name, fields[at + 1] as string);
  }
  if (status === 429) for (const value of challenge) kept.push('WWW-Authenticate', value);
  const said = status === 429 ? 401 : status >= 500 || status === 401 ? status : 403;
  return { status: said, fields: kept, body: '' };
}
