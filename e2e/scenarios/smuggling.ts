/**
 * SMTP smuggling (CVE-2023-51764 and its kin): something that is not CRLF.CRLF is taken by one of two servers for the
 * end of data, and what follows it for commands. Refused or harmless, in both directions.
 */

import { equal, match, ok } from 'node:assert/strict';
import { readMaildir } from '../maildir.ts';
import { type Dialogue, greet, openDialogue } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { startSink } from '../peers/sink.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const outsider = 'sender@example.org';

/** Every published end of data that is none. */
export const falseEnds = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\r.\n',
  '\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\n.\r\r\n',
  '\r\r\n.\r\r\n',
  '\n\n.\r\n',
  '\r\n.\n\r\n',
];

const smuggled = `MAIL FROM:<admin@example.com>\r\nRCPT TO:<${alice}>\r\nDATA\r\nFrom: <admin@example.com>\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n`;

export const smuggling = scenario('smuggling: no false end of data is believed', async ({ world, step }) => {
  const sink = await startSink(world);
  const dnsPort = await startDns(world);
  const accounts = { [alice]: 'secret' };
  const closed = await startPosthorn(world, { name: 'closed', dnsPort, accounts });
  const trusting = await startPosthorn(world, {
    name: 'trusting',
    dnsPort,
    accounts,
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { relayHost: `127.0.0.1:${sink.port}` },
  });

  for (const end of falseEnds) {
    await step(`${JSON.stringify(end)} from outside ends nothing`, async () => {
      await attack(closed, alice, end);
      ok(!(await hasSmuggled(closed)), 'a second message was made of the first');
    });
  }

  for (const end of falseEnds) {
    await step(`${JSON.stringify(end)} from a trusted network is never sent on`, async () => {
      const before = sink.received.length;
      const accepted = await attack(trusting, 'recipient@example.net', end);
      if (accepted) await eventually('the message', () => sink.received[before]);
      for (const { wire } of sink.received.slice(before))
        ok(!hasBareNewline(wire), JSON.stringify(wire.toString('latin1')));
      ok(!(await hasSmuggled(trusting)));
    });
  }

  await step('CVE-2011-0411: commands sent along with STARTTLS are forgotten', async () => {
    const dialogue = await greet(closed.port('smtp'));
    await dialogue.send('STARTTLS\r\nMAIL FROM:<smuggled@example.org>\r\n');
    match(await dialogue.reply(), /^220 /);
    dialogue.socket.end();
    equal(await dialogue.rest(), '');
  });

  await step('a message with a blank line, a dot line and an empty body stays one message', async () => {
    const dialogue = await openDialogue(closed.port('smtp'));
    const commands = `EHLO x\r\nMAIL FROM:<${outsider}>\r\nRCPT TO:<${alice}>\r\nDATA\r\n`;
    const content = `From: <${outsider}>\r\nSubject: honest\r\n\r\n\r\n..\r\n..MAIL FROM:<a@b>\r\n\r\n.\r\n`;
    for (const octet of `${commands}${content}QUIT\r\n`) await dialogue.send(octet);
    match(await dialogue.rest(), /\r\n354 [\s\S]*\r\n250 [\s\S]*\r\n221 /);
    const honest = async () =>
      (await readMaildir(closed.maildir(alice))).find((each) => each.includes('honest'));
    match((await eventually('it', honest)).toString(), /\n\n\n\.\n\.MAIL FROM:<a@b>\n\n$/);
  });
});

/** Sends a message with a false end in its middle; true if its real end was answered with 250. */
async function attack(server: Posthorn, recipient: string, end: string): Promise<boolean> {
  const dialogue = await greet(server.port('smtp'));
  await dialogue.say(`MAIL FROM:<${outsider}>`);
  await dialogue.say(`RCPT TO:<${recipient}>`);
  await dialogue.say('DATA');
  await dialogue.send(`From: <${outsider}>\r\nSubject: outer\r\n\r\nouter${end}${smuggled}QUIT\r\n`);
  const replies = await finalReplies(dialogue);
  equal(
    replies.filter((reply) => /^354/.test(reply)).length,
    0,
    `a second DATA was accepted: ${replies.join(' / ')}`,
  );
  return replies[0]?.startsWith('250') ?? false;
}

async function finalReplies(dialogue: Dialogue): Promise<string[]> {
  return (await dialogue.rest()).split('\r\n').filter(Boolean);
}

async function hasSmuggled(server: Posthorn): Promise<boolean> {
  const headers = (await readMaildir(server.maildir(alice))).map(
    (message) => message.toString('latin1').split('\n\n')[0],
  );
  return headers.some((header) => header?.includes('Subject: smuggled'));
}

const hasBareNewline = (wire: Buffer): boolean => /\r(?!\n)|(?<!\r)\n/.test(wire.toString('latin1'));
