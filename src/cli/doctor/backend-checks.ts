import type { Clock } from '../../core/clock.ts';
import { encodePath, type BackendClient } from './backend-client.ts';
import { fail, ok, skip, warn, type Finding } from './finding.ts';
import { explainFailure, type ExchangeResponse } from './http-exchange.ts';

/** A difference of clocks from which on signed assertions and expiry begin to go wrong. */
const clockSkewSecondsMax = 30;

/**
 * What can be learnt from a backend without changing anything there. `folder` is where to look, in the
 * route's own path or below: a route for `/` may well serve WebDAV further down only.
 */
export async function checkBackend(
  client: BackendClient,
  clock: Clock,
  folder: string,
): Promise<readonly Finding[]> {
  const subject = `route ${client.route.name}: ${client.origin}`;
  const path = encodePath(folder);
  let options: ExchangeResponse;
  try {
    options = await client.send('OPTIONS', path);
  } catch (error) {
    const { message, advice } = explainFailure(error);
    return [fail(subject, message, advice)];
  }
  const reached = ok(subject, `answers OPTIONS ${path} with ${options.status}`);
  const clockFinding = checkClock(subject, options, clock);
  const login = checkLogin(subject, options, client);
  if (login) return [reached, login, clockFinding];
  const status = checkStatus(subject, options.status, path);
  if (status) return [reached, status, clockFinding];
  if (client.route.kind === 'rest') return [reached, clockFinding];
  return [
    reached,
    ...checkDav(subject, options, client, path),
    await checkRange(subject, path, client),
    clockFinding,
  ];
}

/** A backend that wants a login of its own does not yet take the word of the gateway. */
function checkLogin(subject: string, response: ExchangeResponse, client: BackendClient): Finding | null {
  const challenge = response.headers['www-authenticate'];
  if (response.status !== 401 && response.status !== 407) return null;
  const asks = challenge === undefined ? '' : ` (${(challenge.split(',')[0] ?? '').trim()})`;
  const { backendAuth, identity } = client.route;
  if (backendAuth.kind === 'serviceAccount') {
    const advice = 'correct user and password in `backendAuth.serviceAccount`';
    return fail(`${subject}: login`, `refuses the service account ${backendAuth.user}${asks}`, advice);
  }
  if (!client.identified && (backendAuth.kind === 'sharedSecret' || identity.user !== null)) {
    const message = `wants to know who asks${asks}, and nobody was named`;
    return warn(`${subject}: login`, message, 'run this again with --as USER, a user that the backend knows');
  }
  if (backendAuth.kind === 'sharedSecret') {
    return fail(
      `${subject}: login`,
      `refuses the shared secret${asks}`,
      'correct `backendAuth.sharedSecret`',
    );
  }
  const header = identity.user ?? 'X-Remote-User';
  return fail(
    `${subject}: login`,
    `asks for a login of its own${asks}; Latchkey keeps the client's token to itself and sends the user in ${header}`,
    `let the backend trust ${header} from this address, or give it a login with \`backendAuth\``,
  );
}

function checkStatus(subject: string, status: number, path: string): Finding | null {
  if (status >= 500) {
    return fail(`${subject}: status`, `answers ${status}`, "look into the backend's own log");
  }
  if (status >= 300 && status < 400) {
    const advice = 'name the place it redirects to in `backend`, or correct `host`';
    return warn(`${subject}: status`, `redirects ${path} (${status})`, advice);
  }
  if (status === 400) {
    const advice =
      'correct http or https in `backend`; where it wants a certificate of the gateway, name one in `backendTls`';
    return warn(`${subject}: status`, `takes a plain OPTIONS ${path} for malformed`, advice);
  }
  if (status === 404) {
    const advice = 'serve it there: requests keep their own paths, so `match.path` must exist at the backend';
    return warn(`${subject}: status`, `has nothing at ${path}`, advice);
  }
  if (status === 403) {
    const advice = 'run this again with --as USER, or allow this address at the backend';
    return warn(`${subject}: status`, `forbids ${path}`, advice);
  }
  return null;
}

function checkDav(
  subject: string,
  options: ExchangeResponse,
  client: BackendClient,
  path: string,
): readonly Finding[] {
  const classes = tokens(options.headers['dav']);
  if (classes.length === 0) {
    const advice =
      'where WebDAV starts further down, name that folder in `match.path`, or for a closer look in ' +
      '--write-test; if this is plain REST, set `kind: rest`';
    return [warn(`${subject}: WebDAV`, `sends no DAV header at ${path}`, advice)];
  }
  const findings = [ok(`${subject}: WebDAV`, `class ${classes.join(', ')}`)];
  if (
    client.route.kind === 'caldav' &&
    !classes.some((each) => /^(calendar-access|addressbook)$/i.test(each))
  ) {
    const advice = 'set `kind: webdav`, or name a path below which calendars are served';
    findings.push(warn(`${subject}: calendars`, 'offers neither calendars nor address books here', advice));
  }
  const locks = tokens(options.headers.allow).some((method) => method.toUpperCase() === 'LOCK');
  if (locks || classes.includes('2')) findings.push(ok(`${subject}: LOCK`, 'offered'));
  else if (client.route.kind === 'webdav') {
    const advice = 'switch locking on at the backend (mod_dav: DavLockDB)';
    findings.push(
      warn(`${subject}: LOCK`, 'not offered: Finder, Windows and davfs2 mount read-only', advice),
    );
  }
  return findings;
}

/** Looks for a file to read a byte of; an empty folder proves nothing. */
async function checkRange(subject: string, path: string, client: BackendClient): Promise<Finding> {
  const about = `${subject}: Range`;
  const how = 'not looked at: no file in sight; --write-test FOLDER makes one';
  try {
    const listing = await client.send('PROPFIND', path, {
      headers: { depth: '1', 'content-type': 'application/xml' },
      body: '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>',
    });
    const file = listing.status === 207 ? firstFile(listing.body) : null;
    if (file === null) return skip(about, how);
    const part = await client.send('GET', file, { headers: { range: 'bytes=0-0' } });
    return rangeFinding(about, part.status);
  } catch {
    return skip(about, how);
  }
}

/** The verdict on a GET with Range: 206 resumes, 200 starts again from the first byte. */
export function rangeFinding(about: string, status: number): Finding {
  // 416: the file is empty, and the range was understood.
  if (status === 206 || status === 416) return ok(about, 'understood: downloads resume, players seek');
  const advice = 'switch byte ranges on at the backend if it can';
  return warn(about, `ignored (answers ${status}): downloads start again from the first byte`, advice);
}

/** The first href that is no folder. Good enough to find something to read; nothing is decided by it. */
function firstFile(multistatus: string): string | null {
  for (const [, response = ''] of multistatus.matchAll(
    /<(?:\w+:)?response[\s>]([\s\S]*?)<\/(?:\w+:)?response>/gi,
  )) {
    const href = /<(?:\w+:)?href[^>]*>\s*([^<\s]+)\s*</i.exec(response)?.[1];
    if (href === undefined || /<(?:\w+:)?collection\b/i.test(response)) continue;
    const path = href.replaceAll('&amp;', '&').replace(/^https?:\/\/[^/]+/i, '');
    if (/^\/[!-~]*$/.test(path)) return path;
  }
  return null;
}

function checkClock(subject: string, response: ExchangeResponse, clock: Clock): Finding {
  const about = `${subject}: clock`;
  const theirs = Date.parse(response.headers.date ?? '');
  if (Number.isNaN(theirs)) return skip(about, 'not looked at: the backend sends no Date header');
  const skewSeconds = Math.round((clock.now() - theirs) / 1000);
  if (Math.abs(skewSeconds) <= clockSkewSecondsMax) return ok(about, 'agrees with ours');
  const message = `${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'behind' : 'ahead of'} ours`;
  return warn(
    about,
    message,
    'synchronise both clocks (NTP): signed assertions and token expiry depend on them',
  );
}

function tokens(header: string | readonly string[] | undefined): readonly string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
