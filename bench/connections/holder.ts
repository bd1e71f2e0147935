/**
 * Opens SMTP sessions in a process of its own, says EHLO in each, and holds them until it is ended. Arguments: the
 * port, and how many. Prints `holding N` once all are open; a session that breaks off ends it with an error.
 */

import { connect } from 'node:net';

/** Opened at once: less than a listener's backlog. */
const openedAtOnce = 100;

function hold(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    let heard = '';
    socket.on('error', reject);
    socket.on('close', () => fail(`a session was closed; it had said: ${heard}`));
    socket.on('data', (text: string) => {
      heard += text;
      if (/^220 .*\r\n$/.test(heard)) socket.write('EHLO client.example.org\r\n');
      else if (/^250 .*\r\n/m.test(heard)) resolve();
      else if (/^[45]/m.test(heard)) reject(new Error(heard));
    });
  });
}

function fail(reason: string): void {
  console.error(reason);
  process.exit(1);
}

const [port, count] = process.argv.slice(2).map(Number);
if (port === undefined || count === undefined) throw new Error('usage: holder PORT COUNT');
for (let open = 0; open < count; open += openedAtOnce) {
  await Promise.all(Array.from({ length: Math.min(openedAtOnce, count - open) }, () => hold(port)));
}
console.log(`holding ${count}`);
