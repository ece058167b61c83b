import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { startNginx } from './asking-nginx.ts';
import { type AskingPlaces, type AskingProxy, exampleFile } from './asking-proxy.ts';
import { freePort } from './free-port.ts';

interface Ingress {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
}

/**
 * Starts Debian's nginx with what ingress-nginx makes of `examples/ingress-nginx/ingress.yaml`: which fields its
 * template sets in the question and on the way to the backend, and what it copies from the answer.
 */
export async function startAskingIngressNginx(places: AskingPlaces): Promise<AskingProxy> {
  const port = await freePort();
  return startNginx(port, await serverOf(places, port));
}

async function serverOf({ doorsPort, backendPort }: AskingPlaces, port: number): Promise<string> {
  const ingress = parse(await readFile(exampleFile('ingress-nginx/ingress.yaml'), 'utf8')) as Ingress;
  const annotation = (name: string): string => {
    const value = ingress.metadata.annotations[`nginx.ingress.kubernetes.io/${name}`];
    assert.ok(value !== undefined, name);
    return value;
  };
  const service = 'latchkey.latchkey.svc.cluster.local:8082';
  assert.ok(annotation('auth-url').includes(service));
  const copied = annotation('auth-response-headers').split(',');
  const variable = (name: string): string => name.toLowerCase().replaceAll('-', '_');
  return `
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
server {
  listen 127.0.0.1:${port};
  location = /_external-auth {
    internal;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header X-Forwarded-Proto "";
    proxy_set_header Host latchkey.latchkey.svc.cluster.local;
    proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
    proxy_set_header X-Original-Method $request_method;
    proxy_set_header X-Sent-From "nginx-ingress-controller";
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Auth-Request-Redirect $request_uri;
    proxy_set_header X-Request-ID $request_id;
    proxy_http_version 1.1;
    client_max_body_size ${annotation('proxy-body-size')};
    set $target ${annotation('auth-url').replace(service, `127.0.0.1:${doorsPort}`)};
    proxy_pass $target;
  }
  location / {
    auth_request /_external-auth;
    auth_request_set $auth_cookie $upstream_http_set_cookie;
    add_header Set-Cookie $auth_cookie;
    ${copied.map((name) => `auth_request_set $auth_${variable(name)} $upstream_http_${variable(name)};`).join('\n    ')}
    ${copied.map((name) => `proxy_set_header ${name} $auth_${variable(name)};`).join('\n    ')}
    client_max_body_size ${annotation('proxy-body-size')};
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Scheme $scheme;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
    proxy_set_header Proxy "";
    proxy_request_buffering ${annotation('proxy-request-buffering')};
    proxy_http_version 1.1;
    proxy_pass http://127.0.0.1:${backendPort};
  }
}
`;
}
