/* What nginx asks with auth_request: one token, kept by its hash. Usage: token-verifier.ts PORT AUTHORIZATION */
import { hash } from 'node:crypto';
import { createServer } from 'node:http';

const [port, authorization = ''] = process.argv.slice(2);
const known = new Set([hash('sha256', authorization)]);
createServer((req, res) => {
  const given = req.headers.authorization;
  res.writeHead(given !== undefined && known.has(hash('sha256', given)) ? 204 : 401);
  res.end();
}).listen(Number(port), '127.0.0.1');
