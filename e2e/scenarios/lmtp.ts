/** A server in front hands its mail on by LMTP (RFC 2033): a Postfix over TCP, Python over a Unix socket. */

import { equal, match, ok } from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { letter } from '../letters.ts';
import { arrival, readMaildir } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { run } from '../process.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';
const nobody = 'nobody@example.com';
const sender = 'sender@example.org';

const script = `
import smtplib, sys
path, sender, *recipients = sys.argv[1:]
with smtplib.LMTP(path) as lmtp:
    lmtp.ehlo_or_helo_if_needed()
    lmtp.mail(sender)
    for recipient in recipients:
        print(lmtp.rcpt(recipient))
    print(lmtp.data(sys.stdin.buffer.read()))
`;

export const lmtp = scenario('lmtp: a Postfix in front delivers to us', async ({ world, step }) => {
  const socket = world.path('lmtp.sock');
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: 'secret', [bob]: 'secret' },
    protocols: ['smtp', 'lmtp'],
    sockets: [socket],
  });
  const postfix = await startPostfix(world, {
    services: 'lmtp unix - - n - - lmtp\n',
    parameters: {
      virtual_mailbox_domains: 'example.com',
      virtual_mailbox_maps: `inline:{${[alice, bob, nobody].map((each) => `${each}=x`).join(' ')}}`,
      virtual_transport: `lmtp:inet:[127.0.0.1]:${server.port('lmtp')}`,
    },
  });

  await step('two recipients of a Postfix get it, and a third comes back alone', async () => {
    const content = letter({ from: sender, to: alice, id: 'by-postfix' });
    match(await deliver(postfix.port, { from: sender, to: [alice, nobody, bob] }, content), /^250/);
    for (const each of [alice, bob]) {
      const stored = (await arrival(server.maildir(each), 'by-postfix')).toString();
      match(stored, /with LMTP/);
      ok(!/^Authentication-Results/m.test(stored));
      match(stored, new RegExp(`^Return-Path: <${sender}>$`, 'm'));
    }
    await postfix.logged(/to=<nobody@example\.com>.*status=bounced.*550 5\.1\.1/);
    await postfix.logged(/to=<bob@example\.com>.*status=sent \(250 2\.0\.0 Queued as/);
  });

  await step(
    'Python delivers over a Unix socket, and hears of each recipient; nothing is relayed',
    async () => {
      ok((await stat(socket)).isSocket());
      const program = world.path('deliver.py');
      await writeFile(program, script);
      const { code, output } = await run(
        'python3',
        [program, socket, sender, bob, nobody, 'a@elsewhere.example'],
        {
          input: letter({ from: sender, to: bob, id: 'by-python' }),
        },
      );
      equal(code, 0, output);
      match(output, /\(250, .*\n\(550, b'5\.1\.1.*\n\(550, b'5\.1\.2/);
      await arrival(server.maildir(bob), 'by-python');
    },
  );

  await step('after a kill the socket is taken up again, and what was acknowledged is there', async () => {
    const content = letter({ from: sender, to: alice, id: 'before-the-kill' });
    match(await deliver(postfix.port, { from: sender, to: [alice] }, content), /^250/);
    await postfix.logged(/before-the-kill[\s\S]*to=<alice@example\.com>.*status=sent/);
    await server.kill();
    await server.start();
    await arrival(server.maildir(alice), 'before-the-kill');
    ok((await readMaildir(server.maildir(bob))).length === 2);
  });
});
