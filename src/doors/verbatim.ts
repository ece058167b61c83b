import type { Refusing } from './ask.ts';
import type { DoorReply } from './door.ts';

/** A refusal for a proxy that relays it to the client as it is, whatever its status. */
export function verbatim({ status, fields, body }: Refusing): DoorReply {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    // The listener frames.
    if (fields[at] !== 'Content-Length') kept.push(fields[at] as string, fields[at + 1] as string);
  }
  return { status, fields: kept, body };
}
