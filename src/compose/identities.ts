import type { Config } from '../config/config.ts';
import type { WayConfig } from '../config/sign-in-config.ts';
import { systemRandom } from '../core/random.ts';
import { createPasswords, type Passwords } from '../identity/passwords.ts';
import type { ConfiguredWay } from '../management/signing-in.ts';
import { createProvisioning, type Provisioning } from '../management/provisioning.ts';
import type { Announce } from '../tokens/announce.ts';
import type { Peppers } from '../tokens/digest.ts';
import { holdsToken } from '../tokens/mint.ts';
import { createSealer, type Sealer } from '../tokens/sealer.ts';
import type { Ground } from './ground.ts';
import type { OpenedStore } from './store.ts';

/** Where users come from, and how those from elsewhere become ours. */
export interface OpenedIdentities {
  /** In the order of the configuration. */
  readonly ways: readonly ConfiguredWay[];
  /** One for the whole process: it bounds how many passwords are hashed at a time. */
  readonly passwords: Passwords;
  readonly provisioning: Provisioning;
  readonly sealer: Sealer;
}

/** Opens every configured source; none is asked yet, so that one that is away does not keep the gateway from starting. */
export async function openIdentities(
  { config, clock, log, closers }: Ground,
  store: OpenedStore,
  peppers: Peppers,
  announce: Announce,
): Promise<OpenedIdentities> {
  const sealer = createSealer(peppers);
  const ways = await Promise.all(
    config.signIn.ways.map((way) => openWay(way, { clock, randomBytes: systemRandom })),
  );
  for (const way of ways) if (way.kind !== 'local') closers.add(() => way.close());
  const provisioning = createProvisioning({
    ...{ clock, store: store.users, announce, holdsToken, log, randomBytes: systemRandom },
    sealGrant: (grant) => sealer.seal('grant', grant),
  });
  return { ways, passwords: openPasswords(config), provisioning, sealer };
}

function openPasswords({ limits }: Config): Passwords {
  return createPasswords({ concurrency: limits.passwordConcurrency, queueMax: limits.passwordQueue });
}

/** Each is loaded where it is configured: most processes need none. */
async function openWay(
  way: WayConfig,
  deps: Pick<Ground, 'clock'> & { readonly randomBytes: typeof systemRandom },
): Promise<ConfiguredWay> {
  switch (way.kind) {
    case 'local':
      return way;
    case 'htpasswd': {
      const { createHtpasswdSource } = await import('../identity/sources/htpasswd.ts');
      return createHtpasswdSource({ config: way, ...deps });
    }
    case 'ldap': {
      const { createLdapSource } = await import('../identity/sources/ldap.ts');
      return createLdapSource(way);
    }
    case 'oidc': {
      const { createOidcSource } = await import('../identity/sources/oidc.ts');
      return createOidcSource({ config: way, clock: deps.clock });
    }
  }
}
