import type { Principal } from '../core/principal.ts';

/** One header that tells the backend who is speaking. */
export interface IdentityHeader {
  readonly name: string;
  render(principal: Principal): string;
}

/**
 * Compiles a template over {user} {userId} {tokenId} {route}. Values outside ASCII go out as UTF-8.
 * User names hold no control characters, so a value can never start another header.
 */
export function compileIdentityHeader(name: string, template: string, route: string): IdentityHeader {
  if (template === '{user}') return { name, render: (principal) => fieldBytes(principal.userName) };
  const parts = template.split(/(\{(?:user|userId|tokenId|route)\})/);
  return {
    name,
    render(principal) {
      return fieldBytes(parts.map((part) => valueOf(part, principal, route)).join(''));
    },
  };
}

function valueOf(part: string, principal: Principal, route: string): string {
  switch (part) {
    case '{user}':
      return principal.userName;
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

/** A header value is bytes: text beyond ASCII is written as the UTF-8 it would be in the file. */
export function fieldBytes(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7e) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}
