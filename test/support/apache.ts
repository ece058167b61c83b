import { execFileSync } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** How the Apache of one test is set up. */
export interface ApacheOptions {
  /** True: answers 403 to a request without X-Remote-User. */
  readonly requireRemoteUser?: boolean;
  /** Basic credentials without which it answers 401. */
  readonly account?: { readonly user: string; readonly password: string };
}

/** One line of Apache's access log. */
export interface ApacheAccess {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly remoteUser: string;
  readonly authorization: string;
}

/** A real Apache with unmodified mod_dav, serving the same empty folder at `/dav/` and `/`. */
export interface Apache {
  readonly port: number;
  /** Origin, without a slash at its end. */
  readonly url: string;
  /** The folder it serves at `/dav/`. */
  readonly folder: string;
  accessLog(): Promise<readonly ApacheAccess[]>;
  stop(): Promise<void>;
}

const modules = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'auth_basic',
  'authz_core',
  'authz_user',
  'alias',
  'dav',
  'dav_fs',
  'dav_lock',
  'setenvif',
];

/** Starts Apache in a scratch folder on a free port, touching nothing of the system's own set-up. */
export async function startApache(options: ApacheOptions = {}): Promise<Apache> {
  const command = findProgram('apache2');
  if (command === null) throw new Error('apache2 is not installed');
  const scratch = await makeScratch('apache');
  const port = await freePort();
  const folder = scratch.file('htdocs');
  await mkdir(folder);
  await mkdir(scratch.file('state'));
  if (process.getuid?.() === 0) {
    // Apache does not serve as root: its children become www-data.
    const id = (kind: '-u' | '-g'): number =>
      Number(execFileSync('id', [kind, 'www-data'], { encoding: 'utf8' }));
    for (const path of [folder, scratch.file('state')]) await chown(path, id('-u'), id('-g'));
  }
  if (options.account !== undefined) {
    const { user, password } = options.account;
    const hash = execFileSync('openssl', ['passwd', '-apr1', '-stdin'], {
      input: password,
      encoding: 'utf8',
    });
    await writeFile(scratch.file('users'), `${user}:${hash}`);
  }
  await writeFile(scratch.file('httpd.conf'), configuration(scratch.path, port, options));
  const args = ['-DFOREGROUND', '-f', scratch.file('httpd.conf')];
  const log = scratch.file('error.log');
  const stop = await startScratchServer({ label: 'apache2', command, args }, port, scratch, log);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    folder,
    accessLog: async () => parseAccessLog(await readFile(scratch.file('access.log'), 'utf8')),
    stop,
  };
}

function configuration(root: string, port: number, options: ApacheOptions): string {
  const checks = [
    ...(options.requireRemoteUser === true ? ['Require env has_remote_user'] : []),
    ...(options.account === undefined ? [] : ['Require valid-user']),
  ];
  const basic =
    options.account === undefined
      ? ''
      : `AuthType Basic\nAuthName "backend"\nAuthBasicProvider file\nAuthUserFile ${root}/users`;
  return `
ServerRoot ${root}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${root}/httpd.pid
ErrorLog ${root}/error.log
LogLevel warn
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
StartServers 1
ServerLimit 2
LogFormat "%m %U %>s \\"%{X-Remote-User}i\\" \\"%{Authorization}i\\"" test
CustomLog ${root}/access.log test
DavLockDB ${root}/state/locks
DocumentRoot ${root}/htdocs
Alias /dav ${root}/htdocs
SetEnvIf X-Remote-User ".+" has_remote_user
<Location />
  Dav On
  DavMinTimeout 600
  ${basic}
  <RequireAll>
    Require all granted
    ${checks.join('\n    ')}
  </RequireAll>
</Location>
`;
}

function parseAccessLog(text: string): ApacheAccess[] {
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const match = /^(\S+) (\S*) (\d{3}) "([^"]*)" "([^"]*)"$/.exec(line);
      if (match === null) return [];
      const [, method = '', path = '', status = '', remoteUser = '', authorization = ''] = match;
      return [{ method, path, status: Number(status), remoteUser, authorization }];
    });
}
