/** What is asked about strangers, with real sockets and a real DNS. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startWorld } from '../testing/world.ts';

const recipient = 'recipient@example.net';
const accounts = { [recipient]: 'secret' };

const check = (when: string, then: string, score?: number) => ({
  when,
  then,
  ...(score !== undefined && { score }),
});

test('who talks before the greeting is found out, and who waits is not', async () => {
  await using world = await startWorld({
    servers: {
      'example.net': {
        accounts,
        settings: {
          limits: { greetingDelayMs: 100 },
          policy: [{ name: 'default', checks: [check('early-talker', 'reject')] }],
        },
      },
    },
  });
  const server = world.servers['example.net'];
  const { replies } = await server.receive({ from: 'a@b.example', to: recipient });
  expect(replies.get(recipient)?.code).toBe(250);

  const { address, port } = server.endpoint('smtp');
  const socket = connect({ host: address, port });
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.end(`HELO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<${recipient}>\r\nQUIT\r\n`);
  await once(socket, 'close');
  expect(heard).toMatch(/^220 .*\r\n250 .*\r\n250 .*\r\n550 5\.7\.1 .*talks before it is greeted/);
  const { data } = await server.event(recipient, 'judged');
  expect(data).toMatchObject({
    disposition: 'reject',
    rule: expect.stringContaining('talked before it was greeted'),
  });
});
