import { Fault } from '../core/errors.ts';
import { type CanonicalPath, checkDecodedPath, isBelowFolder } from '../core/path.ts';
import type { Principal } from '../core/principal.ts';
import type { AssertionSigner } from './assertion.ts';
import { toFault } from './backend-fault.ts';
import { assertionFor, backendFields, responseAddresses } from './backend-request.ts';
import type { Backend } from './backends.ts';
import type { Allowed } from './decide.ts';
import { type HeadReaderDeps, readHead } from './read-head.ts';
import { answerHead } from './response-head.ts';
import { readOwnUrl } from './own-url.ts';
import type { Route } from './route.ts';
import type { RouteTable } from './routes.ts';
import { readXml, type XmlElement } from './xml.ts';

/** What looking through folders needs. */
export interface CollectionsDeps extends HeadReaderDeps {
  readonly routes: RouteTable<Route>;
  readonly assertions: Pick<AssertionSigner, 'sign'>;
  nextRequestId(): string;
}

/** On whose behalf, and as which host, a backend is asked. */
export interface Looker {
  readonly principal: Principal;
  /** Lower case authority. */
  readonly host: string;
  /** The person's own address. */
  readonly address: string;
}

/** The folders found, decoded, each with a slash at its end; or why there is nothing to show. */
export type FoundCollections = readonly CanonicalPath[] | 'none' | 'too many';

/** An answer about a folder is read up to this; beyond it has too many entries to choose from. */
const answerBytesMax = 4 * 1_024 * 1_024;
const body = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>',
);

/**
 * Asks the backend which folders lie within a folder (PROPFIND, Depth 1: RFC 4918 section 9.1), as the person and with the
 * same identity fields as any request of the person. `folder` is decoded text. Rejects with the Fault of a backend that
 * cannot be asked or is broken (5xx).
 */
export async function findCollections(
  folder: string,
  looker: Looker,
  deps: CollectionsDeps,
): Promise<FoundCollections> {
  const path = checkDecodedPath(folder);
  if (typeof path !== 'string') return 'none';
  const allowed = propfind(path, looker, deps);
  if (allowed === null) return 'none';
  const answer = await ask(allowed, deps);
  if (answer === 'too many') return answer;
  if (answer.status !== 207) return 'none';
  const document = readXml(answer.bytes);
  if (document === null) return 'too many';
  return collectionsIn(document, path, [looker.host, ...answer.backendAuthorities]);
}

/** The request as if the person had sent it, allowed as its own password would be; null where no route serves it. */
function propfind(path: CanonicalPath, looker: Looker, deps: CollectionsDeps): Allowed | null {
  const { principal, host, address } = looker;
  const head = readHead(
    {
      method: 'PROPFIND',
      target: encodeURI(path).replace(/[?#]/g, encodeURIComponent),
      rawHeaders: [
        'Host',
        host,
        'Depth',
        '1',
        'Content-Type',
        'application/xml',
        'Accept',
        'application/xml',
      ],
      exactLine: true,
      httpVersion: '1.1',
      peerAddress: address,
      tls: false,
      readBody: () => Promise.resolve(body),
    },
    // What a trusted proxy would say about this request nobody says.
    { rules: deps.rules, clientSide: { trusts: () => false, read: untrusted }, hasOwnPages: () => false },
  );
  if (head.kind === 'deny') return null;
  const route = deps.routes.find(host, head.path);
  if (route === null || route.config.kind === 'rest') return null;
  const permit = { kind: 'permit', destination: null, dropDestination: false, ifHeader: null, body } as const;
  const findings = { route, scheme: 'other', tier: 'none', clientAddress: address } as const;
  return { kind: 'allow', ...findings, head, principal, permit, query: '' };
}

const untrusted = (address: string): ReturnType<HeadReaderDeps['clientSide']['read']> => ({
  address,
  forwardedFor: address,
  scheme: 'http',
  host: null,
});

interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
  /** What the one that answered may call itself. */
  readonly backendAuthorities: readonly string[];
}

async function ask(allowed: Allowed, deps: CollectionsDeps): Promise<Answer | 'too many'> {
  const backend = allowed.route.backends.pick(new Set());
  if (backend === null) throw new Fault('backend_unreachable', 'no backend to ask');
  const assertion = await assertionFor(allowed, deps.assertions);
  const headers = backendFields(allowed, backend, deps.nextRequestId(), assertion);
  headers.push('content-length', String(body.length));
  return dispatch(allowed, backend, headers);
}

function dispatch(allowed: Allowed, backend: Backend, headers: string[]): Promise<Answer | 'too many'> {
  const { head, principal, route } = allowed;
  const authenticatesItself = route.config.backendAuth.kind !== 'none';
  const addresses = responseAddresses(allowed, backend);
  const { backendAuthorities } = addresses;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    backend.dispatch({ method: 'PROPFIND', path: head.rawPath, headers, body }, principal.userId, {
      onRequestStart: () => undefined,
      onResponseStart(_controller, code, fields) {
        if (code < 200) return;
        // For what it throws: an answer that is none is a fault, as it is on the way to a client.
        answerHead({ status: code, headers: fields, authenticatesItself }, backend.origin, addresses);
        if (code >= 500) {
          throw new Fault('backend_unreachable', `${backend.origin} answered ${code} when asked for folders`);
        }
        status = code;
      },
      onResponseData(controller, chunk) {
        bytes += chunk.length;
        if (bytes <= answerBytesMax) chunks.push(chunk);
        else {
          resolve('too many');
          controller.abort(new Error('too many entries'));
        }
      },
      onResponseEnd: () => resolve({ status, bytes: Buffer.concat(chunks), backendAuthorities }),
      onResponseError: (_controller, error) => reject(toFault(error, backend.origin)),
    });
  });
}

/** The direct folders of a multi-status (RFC 4918 section 13), in addresses of these authorities or of none. */
function collectionsIn(
  document: XmlElement,
  folder: CanonicalPath,
  authorities: readonly string[],
): readonly CanonicalPath[] {
  const found = new Set<CanonicalPath>();
  for (const response of document.children) {
    const href = response.children.find(({ name }) => name === '{DAV:}href')?.text.trim() ?? '';
    if (!isCollection(response)) continue;
    const path = authorities
      .map((authority) => readOwnUrl(href, authority)?.path)
      .find((known) => known !== undefined);
    if (path === undefined) continue;
    const whole = (path.endsWith('/') ? path : `${path}/`) as CanonicalPath;
    if (isBelowFolder(folder, whole) && !whole.slice(folder.length, -1).includes('/')) found.add(whole);
  }
  return [...found].toSorted((a, b) => a.localeCompare(b));
}

function isCollection(element: XmlElement): boolean {
  return element.children.some((child) => child.name === '{DAV:}collection' || isCollection(child));
}
