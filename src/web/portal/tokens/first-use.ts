import type { ShownToken } from '../../../management/tokens.ts';
import { clientName } from '../client-names.ts';
import type { Frame } from '../frame.ts';

/** "Connected from rclone (192.0.2.7).", for a token that has been used. */
export function connectedText({ texts }: Frame, token: ShownToken): string {
  const { lastUsedClient: client, lastUsedAddress: address } = token;
  return client === null
    ? texts.once.connectedFrom(address ?? '')
    : texts.once.connected(clientName(client), address ?? '');
}
