/*
 * A door that allows everything and reads nothing, on bare sockets: what the system calls and the event loop of Node
 * cost at least. Usage: bare-socket-door.ts PORT
 */
import { createServer } from 'node:net';

const answer = 'HTTP/1.1 200 OK\r\nX-Remote-User: alice\r\nX-Latchkey-Target: /\r\nContent-Length: 0\r\n\r\n';
const server = createServer({ noDelay: true }, (socket) => {
  // nginx asks one question at a time, and in one write.
  socket.on('data', () => void socket.write(answer, 'latin1'));
  socket.on('error', () => socket.destroy());
});
server.listen(Number(process.argv[2]), '127.0.0.1');
