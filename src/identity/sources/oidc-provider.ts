import * as client from 'openid-client';
import type { OidcConfig } from '../../config/sign-in-config.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import { createProviderFetch } from './provider-fetch.ts';

/** For each request to the provider. */
const timeoutSeconds = 10;
/** What the provider says of itself is read again after this. */
const metadataMs = 3_600_000;
/** What these tell of is broken at the provider or on the way there; every other code speaks of this sign-in. */
const brokenCodes: ReadonlySet<string> = new Set([
  'OAUTH_HTTP_REQUEST_FORBIDDEN',
  'OAUTH_INVALID_SERVER_METADATA',
  'OAUTH_MISSING_SERVER_METADATA',
  'OAUTH_PARSE_ERROR',
  'OAUTH_REQUEST_PROTOCOL_FORBIDDEN',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
]);
/** Answers of the token endpoint that speak of the code or grant, not of how we are registered. */
const refusingErrors: ReadonlySet<string> = new Set(['invalid_grant', 'access_denied']);

/** A provider, known by what it says of itself. */
export interface Provider {
  /** Rejects with `Fault('sign_in_unavailable')` where it cannot be asked. */
  known(): Promise<client.Configuration>;
  /** Why this sign-in was refused, for the log. Throws `Fault('sign_in_unavailable')` where that is not the reason. */
  refusalOf(error: unknown): string;
  close(): void;
}

/** Asked when it is first needed, so that a provider that is away keeps nothing from starting. */
export function createProvider(config: OidcConfig, clock: Pick<Clock, 'monotonic'>): Provider {
  const http = createProviderFetch(config.ca);
  let found: { readonly at: number; readonly provider: client.Configuration } | null = null;
  let asking: Promise<client.Configuration> | null = null;

  function fault(error: unknown): Fault {
    if (error instanceof Fault) return error;
    const message = `The provider ${config.name} (${config.issuer}) cannot be asked, or refuses this gateway.`;
    return new Fault('sign_in_unavailable', message, error);
  }

  async function discover(): Promise<client.Configuration> {
    const issuer = new URL(config.issuer);
    // Signatures are checked although the token came over TLS.
    const rules = [client.enableNonRepudiationChecks];
    // The configuration takes http only for providers on this machine.
    // oxlint-disable-next-line typescript/no-deprecated -- marked so that it stands out, which it should
    if (issuer.protocol === 'http:') rules.push(client.allowInsecureRequests);
    const provider = await client.discovery(issuer, config.clientId, {}, authentication(config), {
      timeout: timeoutSeconds,
      [client.customFetch]: (url, request) => http.fetch(url, request),
      execute: rules,
    });
    found = { at: clock.monotonic(), provider };
    return provider;
  }

  return {
    async known() {
      if (found !== null && clock.monotonic() - found.at < metadataMs) return found.provider;
      asking ??= discover().finally(() => {
        asking = null;
      });
      try {
        return await asking;
      } catch (error) {
        // What was true an hour ago is better than nothing.
        if (found !== null) return found.provider;
        throw fault(error);
      }
    },
    refusalOf(error) {
      if (error instanceof client.ResponseBodyError && refusingErrors.has(error.error)) return error.error;
      if (error instanceof client.AuthorizationResponseError) return error.error;
      if (error instanceof client.ClientError && error.code !== undefined && !brokenCodes.has(error.code)) {
        return `${error.code}: ${error.message}`;
      }
      throw fault(error);
    },
    close: () => http.close(),
  };
}

/** RFC 6749 section 2.3.1 has every server take Basic; without a secret PKCE alone protects the code. */
function authentication({ clientSecret }: OidcConfig): client.ClientAuth {
  return clientSecret === null ? client.None() : client.ClientSecretBasic(clientSecret);
}
