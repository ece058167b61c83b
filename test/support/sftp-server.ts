import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run } from './child-process.ts';
import { freePort } from './free-port.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** What a login with SFTP came to. */
export interface SftpLogin {
  readonly code: number | null;
  readonly stderr: string;
}

/** OpenSSH's server with the files of examples/sftp/. */
export interface SftpServer {
  /** Writes what users write; they all have this folder. */
  readonly folder: string;
  /** Logs in with a password and runs these commands of sftp. */
  login(user: string, password: string, ...commands: readonly string[]): Promise<SftpLogin>;
  /** Everything sshd has said. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Of nobody on this machine. */
const uid = 54_321;

/**
 * Starts sshd as root in a mount namespace of its own, in which /etc/pam.d/sshd is the example's and the users exist:
 * nothing of the machine is changed. PAM asks the gateway at `verifyUrl` with the key in `keyFile`.
 */
export async function startSftpServer(
  users: readonly string[],
  verifyUrl: string,
  keyFile: string,
): Promise<SftpServer> {
  const scratch = await makeScratch('sftp');
  const port = await freePort();
  const folder = scratch.file('home');
  await mkdir(folder);
  await chown(folder, uid, uid);
  const [pam, config] = await Promise.all([example('pam.d-sshd'), example('sshd_config')]);
  const command = `${process.execPath} ${main} verify --url ${verifyUrl}`;
  const pamFile = scratch.file('pam');
  await writeFile(
    pamFile,
    pam.replace('/usr/bin/latchkey verify', command).replace('/etc/latchkey/sshd.key', keyFile),
  );
  for (const [name, line] of [
    ['passwd', (user: string) => `${user}:x:${uid}:${uid}::${folder}:/usr/sbin/nologin`],
    ['shadow', (user: string) => `${user}:*:19000:0:99999:7:::`],
  ] as const) {
    const text = await readFile(`/etc/${name}`, 'utf8');
    await writeFile(scratch.file(name), `${text}${users.map(line).join('\n')}\n`);
  }
  await chmod(scratch.file('shadow'), 0o600);
  const hostKey = scratch.file('host_key');
  await succeed('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', hostKey);
  const own = [`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${hostKey}`, 'PidFile none'];
  await writeFile(scratch.file('sshd_config'), `${own.join('\n')}\n${config}`);
  const log = scratch.file('sshd.log');
  const script = [
    'set -e',
    `mount --bind ${pamFile} /etc/pam.d/sshd`,
    `mount --bind ${scratch.file('passwd')} /etc/passwd`,
    `mount --bind ${scratch.file('shadow')} /etc/shadow`,
    'mount -t tmpfs none /run',
    'mkdir -m 755 /run/sshd',
    `exec /usr/sbin/sshd -D -f ${scratch.file('sshd_config')} -E ${log}`,
  ];
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script.join('\n')];
  const stop = await startScratchServer({ label: 'sshd', command: 'unshare', args }, port, scratch, log);
  let logins = 0;
  return {
    folder,
    async login(user, password, ...commands) {
      logins++;
      const batch = scratch.file(`batch-${logins}`);
      await writeFile(batch, `${commands.join('\n')}\n`);
      const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=no'];
      const auth = ['PreferredAuthentications=password', 'NumberOfPasswordPrompts=1', 'LogLevel=ERROR'];
      return run({
        label: 'sftp',
        command: 'sshpass',
        args: [
          ...['-e', 'sftp', '-F', '/dev/null'],
          ...[...options, ...auth].map((option) => `-o${option}`),
          ...['-P', String(port), '-b', batch, `${user}@127.0.0.1`],
        ],
        env: { SSHPASS: password },
        withinMs: 30_000,
      });
    },
    log: () => readFile(log, 'utf8'),
    stop,
  };
}

function example(name: string): Promise<string> {
  return readFile(new URL(`../../examples/sftp/${name}`, import.meta.url), 'utf8');
}

async function succeed(command: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run({ label: command, command, args });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
}
