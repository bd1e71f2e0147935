/** A server for `Receiver` in a process of its own. Argument: the port. Prints `{"number", "hash"}`, a line for each letter. */

import { createServer } from 'node:net';
import { Receiver } from './receiver.ts';

const server = createServer((socket) => {
  const receiver = new Receiver({
    say: (text) => void socket.write(text),
    end: () => void socket.end(),
    received: (number, hash) => console.log(JSON.stringify({ number, hash })),
  });
  socket.on('error', () => {}); // The server under test may break off; what did not arrive is missed later.
  socket.on('data', (chunk: Buffer) => receiver.receive(chunk));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
