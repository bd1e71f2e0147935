/** A time server inside a network of its own: the machine's clock, by SNTP, at port 123 of an address. RFC 4330 §5. */

import { createSocket } from 'node:dgram';

const [address = '127.0.0.1'] = process.argv.slice(2);
/** Seconds between 1900, where NTP begins, and 1970. */
const epochSeconds = 2_208_988_800;

const socket = createSocket('udp4');
socket.on('message', (question, peer) => {
  const answer = Buffer.alloc(48);
  answer.set([0x24, 1, question[2] ?? 0, 0xec]); // version 4, server; stratum 1
  question.copy(answer, 24, 40, 48); // when the question was sent, as it says
  for (const at of [16, 32, 40]) writeTime(answer, at, Date.now());
  socket.send(answer, peer.port, peer.address);
});
socket.bind(123, address, () => console.log('serving'));

function writeTime(answer: Buffer, at: number, now: number): void {
  answer.writeUInt32BE(Math.floor(now / 1000) + epochSeconds, at);
  answer.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), at + 4);
}
