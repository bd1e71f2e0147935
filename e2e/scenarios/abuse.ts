/** Bad input: whatever one client does, the others are served, and memory is bounded. */

import { equal, match, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { watchMemory } from '../memory.ts';
import { deliver, greet, openDialogue } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';

const alice = 'alice@example.com';
const outsider = 'sender@example.org';
const mib = 2 ** 20;

/** What the server may grow by under attack: buffers, and a garbage collector that sees no hurry. */
const growthBytes = 200 * mib;

export const abuse = scenario('abuse: bad input harms nobody else', async ({ world, step }) => {
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world),
    accounts: { [alice]: 'secret' },
  });
  const port = server.port('smtp');
  let served = 0;

  /** Somebody else's letter gets through, and soon. */
  const othersAreServed = async () => {
    served += 1;
    const id = `served-${served}`;
    match(
      await deliver(port, { from: outsider, to: [alice] }, letter({ from: outsider, to: alice, id })),
      /^250/,
    );
    await arrival(server.maildir(alice), id, 5_000);
  };

  /** Lets the attack happen; meanwhile and afterwards others are served, and memory stays bounded. */
  const attack = (claim: string, action: (meanwhile: () => Promise<void>) => Promise<void>) =>
    step(claim, async () => {
      await using memory = watchMemory(server.pid);
      await action(othersAreServed);
      await othersAreServed();
      ok(memory.growth() < growthBytes, `memory grew by ${(memory.growth() / mib).toFixed(0)} MiB`);
    });

  await attack('garbage gets 500s or a close', async () => {
    const dialogue = await openDialogue(port);
    await dialogue.send(randomBytes(mib));
    await dialogue.send('\r\nQUIT\r\n');
    for (const line of (await dialogue.rest()).split('\r\n').slice(1)) match(line, /^(?:[2-5]\d\d[ -]|$)/);
  });

  await attack('an endless line is cut off', async () => {
    const dialogue = await greet(port);
    for (let sent = 0; sent < 64 && !dialogue.socket.destroyed; sent += 1)
      await dialogue.send(Buffer.alloc(mib, 'x'));
    await dialogue.send('\r\nQUIT\r\n');
    match(await dialogue.rest(), /^(?:5|421|$)/);
  });

  await attack('of 10,000 recipients only so many are taken', async () => {
    const dialogue = await greet(port);
    await dialogue.say(`MAIL FROM:<${outsider}>`);
    await dialogue.send(`RCPT TO:<${alice}>\r\n`.repeat(10_000));
    await dialogue.send('QUIT\r\n');
    const replies = (await dialogue.rest()).split('\r\n').filter(Boolean);
    const accepted = replies.filter((reply) => reply.startsWith('250')).length;
    ok(accepted >= 100 && accepted <= 1_000, `${accepted} were accepted`);
    match(replies[accepted] ?? '', /^4(?:52|21)/);
  });

  await attack('a body of 1 GB is refused at MAIL when it is announced', async () => {
    const dialogue = await greet(port);
    match(await dialogue.say(`MAIL FROM:<${outsider}> SIZE=1073741824`), /^552 5\.3\.4/);
    dialogue.close();
  });

  await attack('a body of 1 GB that is not announced is refused, and not kept', async (meanwhile) => {
    const dialogue = await greet(port);
    for (const line of [`MAIL FROM:<${outsider}>`, `RCPT TO:<${alice}>`, 'DATA']) await dialogue.say(line);
    await dialogue.send(`From: <${outsider}>\r\n\r\n`);
    const chunk = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(mib / 64));
    for (let sent = 0; sent < 1024 && !dialogue.socket.destroyed; sent += 1) {
      await dialogue.send(chunk);
      if (sent === 200) await meanwhile();
    }
    await dialogue.send('.\r\nQUIT\r\n');
    match(await dialogue.rest(), /^(?:552|421|$)/);
  });

  await attack('a NUL in an address is refused', async () => {
    const dialogue = await greet(port);
    match(await dialogue.say('MAIL FROM:<sen\0der@example.org>'), /^5/);
    match(await dialogue.say(`MAIL FROM:<${outsider}>`), /^250/);
    match(await dialogue.say('RCPT TO:<ali\0ce@example.com>'), /^5/);
    match(await dialogue.say(`RCPT TO:<${alice}>`), /^250/);
    dialogue.close();
  });

  await attack('half a TLS handshake occupies nobody', async (meanwhile) => {
    const half = Buffer.from('16030100f8010000f40303', 'hex');
    const implicit = await openDialogue(server.port('submissions'));
    await implicit.send(half);
    const explicit = await greet(port);
    match(await explicit.say('STARTTLS'), /^220/);
    await explicit.send(half);
    await meanwhile();
    implicit.close();
    explicit.close();
  });

  await attack('a client that talks plain text to a TLS port is let go', async () => {
    const dialogue = await openDialogue(server.port('pop3s'));
    await dialogue.send('USER alice@example.com\r\n');
    await dialogue.rest();
  });

  await attack('a client that never reads is not read any further', async (meanwhile) => {
    const dialogue = await greet(port);
    dialogue.socket.pause();
    const chunk = 'HELP\r\n'.repeat(100_000);
    const all = (async () => {
      for (let sent = 0; sent < 100 && !dialogue.socket.destroyed; sent += 1) await dialogue.send(chunk);
    })();
    await Promise.race([all, pause(3_000)]);
    await meanwhile();
    dialogue.close();
    await all;
  });

  await attack('80 clients that say nothing leave room for another', async (meanwhile) => {
    const silent = await Promise.all(Array.from({ length: 80 }, () => openDialogue(port)));
    await meanwhile();
    for (const dialogue of silent) dialogue.close();
  });

  await attack('a body that never ends is dropped with its connection', async () => {
    const dialogue = await greet(port);
    for (const line of [`MAIL FROM:<${outsider}>`, `RCPT TO:<${alice}>`, 'DATA']) await dialogue.say(line);
    await dialogue.send(`From: <${outsider}>\r\nSubject: unfinished\r\n\r\nand then`);
    dialogue.close();
  });

  await step('the same process serves still, and stops when asked', async () => {
    process.kill(server.pid, 0);
    equal(await server.stop(), 0);
  });
});
