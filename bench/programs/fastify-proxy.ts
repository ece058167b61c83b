/* Bare @fastify/http-proxy, as its manual begins. Usage: fastify-proxy.ts PORT BACKEND_PORT */
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, backendPort] = process.argv.slice(2).map(Number);
const server = fastify();
await server.register(httpProxy, { upstream: `http://127.0.0.1:${backendPort}` });
await server.listen({ port: port as number, host: '127.0.0.1' });
