import { IncomingMessage } from 'node:http';

const none = Object.freeze(Object.create(null)) as NodeJS.Dict<string>;

/**
 * A request whose `headers` object is made only where there is something in it that the server
 * itself acts upon: Expect, Upgrade, or the framing of a body. Node asks for it on every request, and
 * everything else here reads `rawHeaders`.
 */
export class LeanRequest extends IncomingMessage {}

const whole = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers');

/** Names after which Node, or what handles upgrades, looks in `headers`. */
const looked = /^(?:expect|upgrade|content-length|transfer-encoding)$/i;

Object.defineProperty(LeanRequest.prototype, 'headers', {
  configurable: true,
  get(this: IncomingMessage): NodeJS.Dict<string | string[]> {
    const { rawHeaders } = this;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (looked.test(rawHeaders[at] as string))
        return whole?.get?.call(this) as NodeJS.Dict<string | string[]>;
    }
    return none;
  },
  set(this: IncomingMessage, headers: NodeJS.Dict<string | string[]>) {
    whole?.set?.call(this, headers);
  },
});

/** Gives one request the whole `headers` object, for those who read no other. */
export function withAllHeaders(req: IncomingMessage): IncomingMessage {
  if (whole !== undefined) Object.defineProperty(req, 'headers', whole);
  return req;
}
