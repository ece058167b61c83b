import type { WebContext } from './context.ts';

/**
 * Nothing but what this origin serves, no inline code, no framing. Forms may also lead to providers, to which browsers
 * apply `form-action` when a posted form is redirected there.
 */
function contentSecurityPolicy(providerOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    `form-action ${["'self'", ...providerOrigins].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

/** Sets what every answer of ours says, whatever it is; a cache directive of the answer's own stays. */
export function setSecurityHeaders(c: WebContext, providerOrigins: readonly string[]): void {
  const { headers } = c.res;
  headers.set('Content-Security-Policy', contentSecurityPolicy(providerOrigins));
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('X-Frame-Options', 'DENY');
  // Not no-referrer: browsers then send `Origin: null` with our own forms (Fetch, section 3.1).
  headers.set('Referrer-Policy', 'same-origin');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  headers.set('Permissions-Policy', 'camera=(), microphone=(), geolocation=(), payment=(), usb=()');
  headers.set('X-Robots-Tag', 'noindex');
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
  headers.append('Vary', 'Cookie, Accept-Language');
}
