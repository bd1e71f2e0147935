import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { openSession } from './latency-client.ts';

/** Answers each line, and the end of data after `delayMs`; keeps what was sent as data. */
async function slowServer(delayMs: number) {
  const messages: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket.write('220 slow.example\r\n');
    socket.on('error', () => {}); // The client leaves when it has measured enough.
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.startsWith('EHLO')) socket.write('250-slow.example\r\n250 PIPELINING\r\n');
      if (text.startsWith('MAIL')) socket.write('250 ok\r\n250 ok\r\n354 go on\r\n');
      if (text.endsWith('\r\n.\r\n')) {
        messages.push(text);
        setTimeout(() => socket.write('250 done\r\n'), delayMs);
      }
      text = /\r\n$/.test(text) ? '' : text;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return { server, messages, port: address !== null && typeof address === 'object' ? address.port : 0 };
}

test('openSession() measures the time from the dot to the reply, and sends a body of the size that is asked for', async () => {
  const { server, messages, port } = await slowServer(20);
  const session = await openSession({ port, sizeBytes: 1024 });
  const times = await session.measure(performance.now() + 1);
  session.close();
  server.close();
  expect(times[0]).toBeGreaterThanOrEqual(19);
  const [content = ''] = messages;
  const body = content.slice(content.indexOf('\r\n\r\n') + 4, -'.\r\n'.length);
  expect(body.length).toBe(1024);
});

test('openSession() rejects when the server hangs up', async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  await expect(openSession({ port, sizeBytes: 1024 })).rejects.toThrow('the server closed the connection');
  server.close();
});
