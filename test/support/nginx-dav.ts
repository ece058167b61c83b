import { mkdir, writeFile } from 'node:fs/promises';
import type { FolderServer } from './folder-server.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** Starts nginx with its own dav module (PUT, DELETE, MKCOL, COPY, MOVE), an `alias` at `/dav/` and listings. */
export async function startNginxDav(): Promise<FolderServer> {
  const command = findProgram('nginx');
  if (command === null) throw new Error('nginx is not installed');
  const scratch = await makeScratch('nginx');
  const port = await freePort();
  const folder = scratch.file('served');
  await mkdir(folder, { mode: 0o777 });
  await mkdir(scratch.file('temporary'));
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  await writeFile(scratch.file('nginx.conf'), configuration(scratch.path, port, user));
  const log = scratch.file('error.log');
  const args = ['-c', scratch.file('nginx.conf'), '-p', scratch.path, '-e', log];
  const stop = await startScratchServer({ label: 'nginx', command, args }, port, scratch, log);
  return { url: `http://127.0.0.1:${port}`, folder, stop };
}

function configuration(root: string, port: number, user: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${root}/temporary/${name};`)
    .join('\n  ');
  return `
daemon off;
worker_processes 1;
${user}
pid ${root}/nginx.pid;
error_log ${root}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 10m;
  large_client_header_buffers 4 32k;
  server {
    listen 127.0.0.1:${port};
    location /dav/ {
      alias ${root}/served/;
      autoindex on;
      dav_methods PUT DELETE MKCOL COPY MOVE;
      create_full_put_path on;
      dav_access user:rw group:rw all:rw;
    }
  }
}
`;
}
