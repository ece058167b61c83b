/* A door that allows everything, on a bare `node:http`: what asking Node costs at least. Usage: bare-door.ts PORT */
import { createServer } from 'node:http';

const server = createServer((req, res) => {
  const target = req.headers['x-original-uri'] as string;
  res.writeHead(200, { 'X-Remote-User': 'alice', 'X-Latchkey-Target': target, 'Content-Length': 0 });
  res.end();
});
server.keepAliveTimeout = 180_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
