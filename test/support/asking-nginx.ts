import { mkdir, writeFile } from 'node:fs/promises';
import { type AskingProxy, type AskingPlaces, exampleWith } from './asking-proxy.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch, type Scratch } from './scratch.ts';

/** Starts Debian's nginx with `examples/nginx/latchkey.conf`. */
export async function startAskingNginx(places: AskingPlaces): Promise<AskingProxy> {
  const { text, port } = await exampleWith('nginx/latchkey.conf', places);
  return startNginx(port, text);
}

/** Starts Debian's nginx with these server blocks, one of which listens on the port. */
export async function startNginx(port: number, servers: string): Promise<AskingProxy> {
  const command = findProgram('nginx');
  if (command === null) throw new Error('nginx is not installed');
  const scratch = await makeScratch('asking-nginx');
  const { args, log } = await configureNginx(scratch, servers);
  return { port, stop: await startScratchServer({ label: 'nginx', command, args }, port, scratch, log) };
}

/** Writes the configuration of that nginx; resolves to its arguments and to where it writes of errors. */
export async function configureNginx(
  scratch: Scratch,
  servers: string,
): Promise<{ readonly args: readonly string[]; readonly log: string }> {
  await mkdir(scratch.file('temporary'));
  await writeFile(scratch.file('servers.conf'), servers);
  await writeFile(scratch.file('nginx.conf'), around(scratch.path));
  const log = scratch.file('error.log');
  return { args: ['-c', scratch.file('nginx.conf'), '-p', scratch.path, '-e', log], log };
}

/** What Debian's nginx.conf has around conf.d, in folders of ours. */
function around(root: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${root}/temporary/${name};`)
    .join('\n  ');
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${root}/nginx.pid;
error_log ${root}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary}
  include ${root}/servers.conf;
}
`;
}
