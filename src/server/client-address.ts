import type { Socket } from 'node:net';

/** The address of who comes over a unix socket, which has none. */
export const unixAddress = 'unix:';

/** Gives a connection an address in place of its peer's, for all who ask for `remoteAddress`. */
export function setClientAddress(socket: Socket, address: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true });
}

/** Gives what was made on top of a connection the address that this was given, if any. */
export function passClientAddress(from: Socket, to: Socket): void {
  if (Object.hasOwn(from, 'remoteAddress') && from.remoteAddress !== undefined)
    setClientAddress(to, from.remoteAddress);
}
