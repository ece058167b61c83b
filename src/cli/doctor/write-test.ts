import { rangeFinding } from './backend-checks.ts';
import type { BackendClient } from './backend-client.ts';
import { fail, ok, warn, type Finding } from './finding.ts';
import { explainFailure } from './http-exchange.ts';

const content = 'written by latchkey doctor\n';

/**
 * Writes, reads, locks, moves and removes a file in a folder of its own below `folder` (percent-encoded, with a
 * slash at the end). Leaves nothing behind where the backend lets it remove its folder.
 */
export async function writeTest(
  client: BackendClient,
  folder: string,
  name: string,
): Promise<readonly Finding[]> {
  const subject = `route ${client.route.name}: ${client.origin}`;
  const own = `${folder}${name}/`;
  try {
    const made = await client.send('MKCOL', own);
    if (made.status !== 201) return [refused(`${subject}: MKCOL`, made.status, own)];
    const findings: Finding[] = [];
    try {
      findings.push(...(await inFolder(client, subject, own)));
    } finally {
      const removed = await client.send('DELETE', own);
      if (removed.status >= 300) {
        findings.push(warn(`${subject}: DELETE`, `answers ${removed.status}`, `remove ${own} by hand`));
      }
    }
    return findings;
  } catch (error) {
    const { message, advice } = explainFailure(error);
    return [fail(subject, message, advice)];
  }
}

async function inFolder(client: BackendClient, subject: string, own: string): Promise<readonly Finding[]> {
  const file = `${own}a.txt`;
  const chunked = await checkChunked(client, `${subject}: chunked PUT`, file);
  const put = await client.send('PUT', file, { body: content });
  if (put.status >= 300) return [chunked, refused(`${subject}: PUT`, put.status, file)];
  const part = await client.send('GET', file, { headers: { range: 'bytes=0-0' } });
  return [
    chunked,
    rangeFinding(`${subject}: Range`, part.status),
    ...(await checkLock(client, `${subject}: LOCK`, file)),
    await checkDestination(client, `${subject}: Destination`, file, `${own}b.txt`),
  ];
}

/** Finder and DAVx5 do not know the length of what they send; some servers store nothing then, and say all is well. */
async function checkChunked(client: BackendClient, about: string, file: string): Promise<Finding> {
  const advice = 'set `spool: true` on this route, so that uploads reach the backend with their length';
  const put = await client.send('PUT', file, { body: content, chunked: true });
  if (put.status >= 300) return warn(about, `refused (${put.status})`, advice);
  const stored = await client.send('GET', file);
  if (stored.body === content) return ok(about, 'understood');
  return fail(
    about,
    `accepted, but ${Buffer.byteLength(stored.body)} bytes of ${content.length} were kept`,
    advice,
  );
}

async function checkLock(client: BackendClient, about: string, file: string): Promise<readonly Finding[]> {
  if (client.route.kind !== 'webdav') return [];
  const lock = await client.send('LOCK', file, {
    headers: { depth: '0', timeout: 'Second-60', 'content-type': 'application/xml' },
    body: '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>',
  });
  if (lock.status >= 300) {
    const advice = 'switch locking on at the backend (mod_dav: DavLockDB, writable by the server)';
    return [warn(about, `refused (${lock.status})`, advice)];
  }
  const token = lock.headers['lock-token'];
  if (typeof token === 'string') await client.send('UNLOCK', file, { headers: { 'lock-token': token } });
  return [ok(about, 'granted and given back')];
}

/** mod_dav answers 502 to a Destination with a scheme or host that it does not take for its own. */
async function checkDestination(
  client: BackendClient,
  about: string,
  from: string,
  to: string,
): Promise<Finding> {
  const destination = client.ownUrl(to);
  const move = await client.send('MOVE', from, { headers: { destination, overwrite: 'F' } });
  if (move.status < 300) return ok(about, `accepted as ${new URL(destination).origin}`);
  return fail(
    about,
    `MOVE to ${new URL(destination).origin} answers ${move.status}`,
    'set `backendOrigin` to the scheme and host that the backend believes it has (mod_dav: ServerName), or `host`',
  );
}

function refused(about: string, status: number, path: string): Finding {
  if (status === 401 || status === 403) {
    const advice = 'name a user that may write there with --as USER, and a folder of theirs';
    return fail(about, `${path} refused (${status})`, advice);
  }
  return fail(about, `${path} refused (${status})`, 'name an existing folder that may be written');
}
