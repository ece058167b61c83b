import { mkdir, writeFile } from 'node:fs/promises';
import { type AskingProxy, type AskingPlaces, exampleWith } from './asking-proxy.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** Starts Debian's nginx with a file of `examples/` as one of its server blocks. */
export async function startAskingNginx(example: string, places: AskingPlaces): Promise<AskingProxy> {
  const command = findProgram('nginx');
  if (command === null) throw new Error('nginx is not installed');
  const scratch = await makeScratch('asking-nginx');
  const { text, port } = await exampleWith(example, places);
  await mkdir(scratch.file('temporary'));
  await writeFile(scratch.file('example.conf'), text);
  await writeFile(scratch.file('nginx.conf'), around(scratch.path));
  const log = scratch.file('error.log');
  const args = ['-c', scratch.file('nginx.conf'), '-p', scratch.path, '-e', log];
  return { port, stop: await startScratchServer({ label: 'nginx', command, args }, port, scratch, log) };
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
events { worker_connections 256; }
http {
  access_log off;
  ${temporary}
  include ${root}/example.conf;
}
`;
}
