import type { DoorKind } from './door.ts';
import { createFamily } from './family.ts';
import { narrowed } from './nginx.ts';
import { takenOff } from './told.ts';

/** X-Original-URL: scheme, authority and the rest, as `$scheme://$http_host$request_uri` puts them together. */
const absolute = /^(https?):\/\/([^/?#\\@]+)(\/.*)$/;

/**
 * The `auth-url` of ingress-nginx: X-Original-Method, X-Original-URL (absolute) and X-Real-IP, set over what a client
 * sends; X-Forwarded-* may be the client's own and count for nothing. It forwards the target as the client sent it.
 */
export const ingressNginxDoor: DoorKind = {
  name: 'ingress-nginx',
  family: createFamily({
    required: ['x-original-method', 'x-original-url', 'x-real-ip'],
    ignored: [
      'x-original-uri',
      'x-scheme',
      'x-sent-from',
      'x-auth-request-redirect',
      'x-request-id',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-forwarded-method',
      'x-forwarded-uri',
    ],
  }),
  proxy: { removes: takenOff, setsWhatIsTold: false, replacesTarget: false },
  told([method, url, addresses], own) {
    const [, scheme, host, target] = absolute.exec(url as string) ?? [];
    if (scheme === undefined || host === undefined || target === undefined) return 'x-original-url is no URL';
    return { method: method as string, target, host, scheme, addresses: addresses as string, own };
  },
  allow: ({ fields }) => ({ status: 200, fields: [...fields, 'Cache-Control', 'no-store'], body: '' }),
  refuse: narrowed,
};
