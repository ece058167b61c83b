import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Scratch } from '../test/support/scratch.ts';

const modules = '/usr/lib/nginx/modules';

/** How nginx stands in for a gateway. */
export type NginxKind = 'plain' | 'auth-request' | 'lua';

/** Why this kind cannot run here, or null. */
export function nginxMissing(kind: NginxKind): string | null {
  if (!existsSync('/usr/sbin/nginx')) return 'nginx is not installed';
  if (kind === 'lua' && !existsSync(`${modules}/ngx_http_lua_module.so`)) {
    return 'libnginx-mod-http-lua is not installed';
  }
  return null;
}

/** What a generated configuration is about. */
export interface NginxSetup {
  readonly kind: NginxKind;
  readonly port: number;
  readonly backendPort: number;
  /** Of `token-verifier.ts`, for 'auth-request'. */
  readonly verifierPort: number;
  readonly token: string;
}

/** Writes a configuration for one process in the foreground; returns the arguments for nginx. */
export async function configureNginx(scratch: Scratch, setup: NginxSetup): Promise<readonly string[]> {
  const folder = scratch.file(`nginx-${setup.kind}`);
  await mkdir(folder);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  const file = scratch.file(`nginx-${setup.kind}.conf`);
  await writeFile(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
${setup.kind === 'lua' ? `load_module ${modules}/ndk_http_module.so; load_module ${modules}/ngx_http_lua_module.so;` : ''}
events { worker_connections 4096; }
http {
  access_log off; ${temporary}
  keepalive_requests 1000000000;
  upstream backend { server 127.0.0.1:${setup.backendPort}; keepalive 256; keepalive_requests 1000000000; }
  upstream verifier { server 127.0.0.1:${setup.verifierPort}; keepalive 256; keepalive_requests 1000000000; }
  proxy_http_version 1.1; proxy_set_header Connection "";
  ${setup.kind === 'lua' ? luaTokens(setup.token) : ''}
  server {
    listen 127.0.0.1:${setup.port};
    client_max_body_size 0; proxy_buffering off; proxy_request_buffering off;
    location / {
      ${setup.kind === 'auth-request' ? 'auth_request /verify;' : ''}
      ${setup.kind === 'lua' ? luaCheck : ''}
      ${setup.kind === 'plain' ? '' : 'proxy_set_header Authorization ""; proxy_set_header X-Remote-User alice;'}
      proxy_pass http://backend;
    }
    location = /verify {
      internal; proxy_pass http://verifier; proxy_pass_request_body off; proxy_set_header Content-Length "";
    }
  }
}
`,
  );
  return ['-p', folder, '-c', file, '-e', 'stderr'];
}

/** Tokens in shared memory by their HMAC, each with the folder it may read. */
const luaTokens = (token: string): string => `
  lua_shared_dict tokens 10m;
  init_by_lua_block {
    ngx.shared.tokens:set(ngx.hmac_sha1("pepper", "${token}"), "/dav/files/alice/Photos/")
  }`;

const luaCheck = `
      access_by_lua_block {
        local encoded = string.match(ngx.var.http_authorization or "", "^Basic (.+)$")
        local pair = encoded and ngx.decode_base64(encoded)
        local secret = pair and string.match(pair, "^[^:]*:(.*)$")
        local folder = secret and ngx.shared.tokens:get(ngx.hmac_sha1("pepper", secret))
        if not folder then return ngx.exit(401) end
        if string.sub(ngx.var.uri, 1, #folder) ~= folder then return ngx.exit(403) end
      }`;
