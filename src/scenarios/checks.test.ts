/** What is asked about strangers, with real sockets and a real DNS. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
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

test('trusted networks are greeted at once', async () => {
  await using world = await startWorld({
    // Time stands still: whoever is to wait waits for ever.
    clock: fakeClock(Date.now()),
    servers: {
      'example.net': {
        accounts,
        settings: {
          limits: { greetingDelayMs: 100 },
          relay: { trustedNetworks: ['127.0.0.0/8', '::1'] },
        },
      },
    },
  });
  const { replies } = await world.servers['example.net'].receive({ from: 'a@b.example', to: recipient });
  expect(replies.get(recipient)?.code).toBe(250);
});

test('what comes from whom is remembered, over a restart, and can be looked at', async () => {
  const sender = 'sender@example.com';
  await using world = await startWorld({
    servers: {
      'example.com': { accounts: { [sender]: 'secret' } },
      'example.net': {
        accounts,
        settings: {
          policy: [{ name: 'default', builtin: false, checks: [check('first-time-sender', 'score', 1)] }],
        },
      },
    },
  });
  const { 'example.com': com, 'example.net': net } = world.servers;
  const send = async () => {
    const { queueId = '' } = await com.submit({ from: sender, to: recipient });
    expect(await com.settled(queueId)).toMatchObject([{ state: 'delivered' }]);
    return (await net.event(recipient, 'judged')).data.scored?.map((scored) => scored.check);
  };
  expect(await send()).toEqual(['first-time-sender']);
  await net.restart();
  expect(await send()).toBeUndefined();
  const found = await net.withAdmin((admin) => admin.findSender({ name: 'example.com' }));
  expect(found.senders).toMatchObject([{ kind: 'domain', name: 'example.com', junk: 0 }]);
  expect(found.acquaintances).toMatchObject([{ recipient, sender: '@example.com' }]);
  // Whom somebody has written to, they know.
  const known = await com.withAdmin((admin) => admin.findSender({ name: recipient }));
  expect(known.acquaintances).toMatchObject([{ recipient: sender, sender: recipient }]);
});
