import { connect, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Client, type Entry, type Filter, ResultCodeError } from 'ldapts';
import type { LdapConfig } from '../../config/sign-in-config.ts';
import { Fault } from '../../core/errors.ts';

const connectMs = 5_000;
/** For the answer to one request. */
const answerMs = 5_000;
/** To change to TLS on a connection that stands. */
const tlsMs = 5_000;
/** Codes by which directories say no to a password (RFC 4511 appendix A): wrong, locked, expired, not one's own. */
const refusingCodes: ReadonlySet<number> = new Set([19, 32, 34, 48, 49, 50, 53]);

/** What is searched, and for which attributes. */
export interface LdapSearch {
  readonly baseDn: string;
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Attributes that are bytes, not text. */
  readonly binary: readonly string[];
  readonly entriesMax: number;
}

/** A directory: searched by the configured account, asked for passwords on connections of their own. */
export interface LdapConnections {
  /** Rejects with `Fault('sign_in_unavailable')` where the directory cannot be asked. */
  search(search: LdapSearch): Promise<readonly Entry[]>;
  /**
   * Whether the directory takes this password for this entry. Neither may be empty: it would take that for an
   * anonymous visitor (RFC 4513 section 5.1.2). Rejects like `search`.
   */
  accepts(dn: string, password: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens connections when they are needed, and the one for searches anew when it has broken. */
export function createLdapConnections(config: LdapConfig): LdapConnections {
  let searcher: Promise<Client> | null = null;

  function fault(error: unknown): Fault {
    if (error instanceof Fault) return error;
    return new Fault(
      'sign_in_unavailable',
      `The directory ${config.name} at ${config.url} cannot be asked.`,
      error,
    );
  }

  async function openSearcher(): Promise<Client> {
    const client = await open(config);
    try {
      // Without an account this is how an anonymous visitor begins (RFC 4513 section 5.1.1).
      await client.bind(config.bindDn ?? '', config.bindPassword ?? '');
      return client;
    } catch (error) {
      await client.unbind();
      const message = `The directory ${config.name} does not accept bindDn and bindPassword.`;
      throw error instanceof ResultCodeError ? new Fault('sign_in_unavailable', message, error) : error;
    }
  }

  /** The kept connection where there is one that still stands. */
  async function current(): Promise<{ readonly client: Client; readonly isNew: boolean }> {
    const kept = searcher;
    const client = await kept?.catch(() => null);
    if (client?.isConnected === true) return { client, isNew: false };
    // Of several who find it broken, the first opens another one.
    if (searcher === kept) searcher = null;
    const isNew = searcher === null;
    searcher ??= openSearcher();
    return { client: await searcher, isNew };
  }

  async function search(request: LdapSearch): Promise<readonly Entry[]> {
    for (;;) {
      const { client, isNew } = await current();
      try {
        const { searchEntries } = await client.search(request.baseDn, {
          scope: 'sub',
          derefAliases: 'never',
          filter: request.filter,
          attributes: [...request.attributes],
          explicitBufferAttributes: [...request.binary],
          sizeLimit: request.entriesMax,
        });
        return searchEntries;
      } catch (error) {
        if (error instanceof ResultCodeError) throw error;
        await client.unbind().catch(() => undefined);
        // Directories close connections that rest: the first failure of an old one says nothing.
        if (isNew) throw error;
      }
    }
  }

  return {
    search: (request) =>
      search(request).catch((error: unknown) => {
        throw fault(error);
      }),
    async accepts(dn, password) {
      if (dn === '' || password === '') return false;
      const client = await open(config).catch((error: unknown) => {
        throw fault(error);
      });
      try {
        await client.bind(dn, password);
        return true;
      } catch (error) {
        if (error instanceof ResultCodeError && refusingCodes.has(error.code)) return false;
        throw fault(error);
      } finally {
        await client.unbind().catch(() => undefined);
      }
    },
    async close() {
      const client = await searcher?.catch(() => null);
      await client?.unbind().catch(() => undefined);
    },
  };
}

/** A connection that nobody is bound to, over TLS where the configuration says so. */
async function open(config: LdapConfig): Promise<Client> {
  const { hostname, protocol, port } = new URL(config.url);
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  const tlsOptions: ConnectionOptions = {
    host,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(config.ca === null ? {} : { ca: config.ca }),
  };
  const isTls = protocol === 'ldaps:';
  const where = { host, port: Number(port === '' ? (isTls ? 636 : 389) : port) };
  // A broken connection must not be opened again behind our back: it would be neither bound nor, after StartTLS, sealed.
  const isFirst = firstOnly();
  const client = new Client({
    url: config.url,
    timeout: answerMs,
    connectTimeout: connectMs,
    createConnection: () => connect(isFirst(where)),
    createSecureConnection: (...args: readonly unknown[]) =>
      connectTls(
        isTls ? isFirst({ ...tlsOptions, ...where }) : { ...tlsOptions, ...(args[0] as ConnectionOptions) },
      ),
  });
  if (!config.startTls) return client;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('TLS did not begin in time.')), tlsMs);
  });
  try {
    await Promise.race([client.startTLS({ ...tlsOptions }), late]);
    return client;
  } catch (error) {
    await client.unbind().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function firstOnly(): <T>(value: T) => T {
  let isUsed = false;
  return (value) => {
    if (isUsed) throw new Error('The connection to the directory has broken.');
    isUsed = true;
    return value;
  };
}
