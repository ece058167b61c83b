/* Bare http-proxy-3 with a keep-alive agent. Usage: http-proxy.ts PORT BACKEND_PORT */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy';

const [port, backendPort] = process.argv.slice(2).map(Number);
const proxy = createProxyServer({
  target: `http://127.0.0.1:${backendPort}`,
  agent: new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 }),
});
proxy.on('error', (error) => console.error(error));
createServer((req, res) => proxy.web(req, res)).listen(port, '127.0.0.1');
