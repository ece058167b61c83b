import { Fault } from '../core/errors.ts';
import type { Principal } from '../core/principal.ts';

/** One header that tells the backend who is speaking. */
export interface IdentityHeader {
  readonly name: string;
  render(principal: Principal): string;
}

/**
 * Compiles a template over {user} {userId} {tokenId} {route}. Values outside ASCII go out as UTF-8.
 * Rendering throws a Fault where the name would arrive as another: it can never start a header of its own.
 */
export function compileIdentityHeader(name: string, template: string, route: string): IdentityHeader {
  if (template === '{user}') return { name, render: (principal) => fieldBytes(bareName(principal)) };
  const parts = template.split(/(\{(?:user|userId|tokenId|route)\})/);
  return {
    name,
    render(principal) {
      return fieldBytes(
        parts
          .map((part) => valueOf(part, principal, route))
          .join('')
          .trim(),
      );
    },
  };
}

/** Backends cut spaces off a value: a user called `alice ` would be `alice` to them. */
function bareName({ userName }: Principal): string {
  if (userName === '' || userName.trim() !== userName)
    throw new Fault('internal', 'a user name cannot stand in a header');
  return userName;
}

function valueOf(part: string, principal: Principal, route: string): string {
  switch (part) {
    case '{user}':
      return bareName(principal);
    case '{userId}':
      return principal.userId;
    case '{tokenId}':
      return principal.tokenId ?? '';
    case '{route}':
      return route;
    default:
      return part;
  }
}

/**
 * A header value is bytes: text beyond ASCII is written as the UTF-8 it would be in the file.
 * @throws {Fault} where the text holds a control character, which would end the field.
 */
export function fieldBytes(text: string): string {
  let ascii = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) throw new Fault('internal', 'a header value holds a control character');
    if (code > 0x7f) ascii = false;
  }
  return ascii ? text : Buffer.from(text, 'utf8').toString('latin1');
}
