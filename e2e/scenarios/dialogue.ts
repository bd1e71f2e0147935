/** The extensions of SMTP between a Postfix and us: DSN both ways (RFC 3461), CHUNKING, and a Postfix that has few of them. */

import { doesNotMatch, match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { publicRecord, verdict } from './dkim.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.net';
const outsider = 'sender@example.org';
const selector = 'posthorn';

export const dialogue = scenario(
  'dialogue: DSN, 8BITMIME and CHUNKING with a Postfix',
  async ({ world, step }) => {
    const key = world.path('dkim.pem');
    await runOk('openssl', ['genrsa', '-out', key, '2048']);
    const dnsPort = await startDns(world, {
      'example.net': { MX: [[10, 'mail.example.net']] },
      'example.org': { MX: [[10, 'mail.example.net']] },
      'mail.example.net': { A: ['127.0.0.1'] },
    });
    const ourPort = await world.port();
    const relayhost = `[127.0.0.1]:${ourPort}`;
    const mailboxes = [carol, outsider];
    const full = await startPostfix(world, { name: 'full', mailboxes, parameters: { relayhost } });
    const bare = await startPostfix(world, {
      name: 'bare',
      mailboxes,
      parameters: {
        relayhost,
        smtpd_discard_ehlo_keywords: '8bitmime, smtputf8, chunking, pipelining, dsn',
      },
    });
    const shared = {
      dnsPort,
      accounts: { [alice]: 'secret' },
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      domains: [{ name: 'example.com', dkim: { selector, key } }],
    };
    const ours = await startPosthorn(world, {
      ...shared,
      ports: { smtp: ourPort },
      delivery: { port: full.port },
    });
    const toBare = await startPosthorn(world, { ...shared, name: 'to-bare', delivery: { port: bare.port } });
    const sender = await startPostfix(world, { name: 'sender', parameters: { relayhost } });
    const record = await publicRecord(key);

    const trace = async (server: typeof ours, id: string) =>
      (await server.command(['trace', `<${id}@letters.example>`])).stdout.toString();

    await step('we pass on to Postfix what is asked of reports, and it reports to our user', async () => {
      const content = letter({ from: alice, to: carol, id: 'to-dsn' });
      const recipient = [carol, 'NOTIFY=SUCCESS ORCPT=rfc822;Carol+2Bx@example.net'] as const;
      match(await ask(ourPort, [alice, 'RET=HDRS ENVID=QQ+2B314'], recipient, content), /^250/);
      const report = (await arrival(ours.maildir(alice), 'QQ+314')).toString();
      match(report, /^Action: delivered/m);
      match(report, /^Original-Envelope-Id: QQ\+314\r$/m);
      match(report, /^Original-Recipient: rfc822; ?Carol\+x@example\.net\r$/m);
      match(
        await trace(ours, 'to-dsn'),
        /RCPT TO:<carol@example\.net> NOTIFY=SUCCESS ORCPT=rfc822;Carol\+2Bx@/,
      );
      doesNotMatch(await trace(ours, 'to-dsn'), /was told of the success/);
    });

    await step('to a Postfix without DSN nothing is passed on, and we report "relayed"', async () => {
      const content = letter({ from: alice, to: carol, id: 'to-no-dsn', body: 'ASCII.\r\n' });
      match(
        await ask(toBare.port('smtp'), [alice, 'ENVID=bare'], [carol, 'NOTIFY=SUCCESS'], content),
        /^250/,
      );
      const report = (await arrival(toBare.maildir(alice), 'Original-Envelope-Id: bare')).toString();
      match(report, /^Action: relayed/m);
      match(report, /^Diagnostic-Code: smtp; 250 2\.0\.0 Ok: queued as/m);
      ok(await arrival(bare.maildir(carol), 'to-no-dsn'));
    });

    await step('Postfix passes on to us what is asked, and we report to the sender', async () => {
      const content = letter({ from: outsider, to: alice, id: 'from-dsn' });
      const recipient = [alice, 'NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Alice@example.com'] as const;
      match(await ask(sender.port, [outsider, 'RET=FULL ENVID=from+20postfix'], recipient, content), /^250/);
      const report = (await arrival(full.maildir(outsider), 'from postfix')).toString();
      match(report, /^Reporting-MTA: dns; mx\.example\.com/m);
      match(report, /^Action: delivered/m);
      match(report, /^Original-Recipient: rfc822;Alice@example\.com/m);
    });

    await step('NOTIFY=NEVER from Postfix: no report of a failure', async () => {
      const content = letter({ from: outsider, to: 'info@example.net', id: 'never' });
      match(await ask(ourPort, [outsider], ['ghost@example.net', 'NOTIFY=NEVER'], content), /^250/);
      match(await ask(ourPort, [outsider, 'ENVID=after'], ['ghost@example.net'], content), /^250/);
      await arrival(full.maildir(outsider), 'Original-Envelope-Id: after');
      const told = /The sender <[^>]+> was told/;
      const stories = (await trace(ours, 'never')).split(/(?=^Message )/m);
      ok(
        stories.some((story) => told.test(story)),
        stories.join('\n'),
      );
      ok(
        stories.some((story) => /it asked for no report of failures/.test(story)),
        stories.join('\n'),
      );
    });

    await step('a letter of 3 MB goes to Postfix in BDAT chunks, octet for octet', async () => {
      const body = 'A line of many, with an ü in it.\r\n'.repeat(90_000);
      const content = letter({ from: alice, to: carol, id: 'in-chunks', body });
      match(await ask(ourPort, [alice], [carol], content), /^250/);
      ok((await arrival(full.maildir(carol), 'in-chunks')).includes(content));
      match(await trace(ours, 'in-chunks'), /BDAT \d+ LAST/);
    });

    await step(
      'M5: M9: without 8BITMIME our 8-bit mail goes out in 7 bits, and its signature verifies',
      async () => {
        const content = letter({
          from: alice,
          to: carol,
          id: 'seven-bit',
          body: 'Grüße, and much that is ASCII.\r\n',
        });
        match(await ask(toBare.port('smtp'), [alice, 'BODY=8BITMIME'], [carol], content), /^250/);
        const received = await arrival(bare.maildir(carol), 'seven-bit');
        match(received.toString(), /^Content-Transfer-Encoding: quoted-printable\r\n/m);
        match(received.toString(), /Gr=C3=BC=C3=9Fe, and much/);
        match(await verdict(world, record, received), /dkim=pass/);
        match(await trace(toBare, 'seven-bit'), /8-bit parts were written in quoted-printable/);
      },
    );

    await step('without 8BITMIME, what others wrote in 8 bits comes back with 5.6.3', async () => {
      const content = letter({ from: outsider, to: carol, id: 'not-ours', body: 'Grüße.\r\n' });
      match(await ask(toBare.port('smtp'), [outsider, 'ENVID=not-ours'], [carol], content), /^250/);
      match(
        (await arrival(bare.maildir(outsider), 'Original-Envelope-Id: not-ours')).toString(),
        /^Status: 5\.6\.3\r$/m,
      );
    });

    await step('M5: without SMTPUTF8, an address that needs it comes back with 5.6.7', async () => {
      const content = letter({ from: alice, to: carol, id: 'utf8', body: 'ASCII.\r\n' });
      const recipient = utf8('jürgen@example.net');
      match(await ask(toBare.port('smtp'), [alice, 'SMTPUTF8 ENVID=utf8'], [recipient], content), /^250/);
      match(
        (await arrival(toBare.maildir(alice), 'Original-Envelope-Id: utf8')).toString(),
        /^Status: 5\.6\.7\r$/m,
      );
    });
  },
);

/** As the dialogue writes strings: each octet a character. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** One message, with parameters of MAIL and of RCPT. */
function ask(
  port: number,
  [from, asking]: readonly [string, string?],
  [to, askingForEach]: readonly [string, string?],
  content: Buffer,
): Promise<string> {
  const parameters = { ...(asking && { asking }), ...(askingForEach && { askingForEach }) };
  return deliver(port, { from, to: [to], ...parameters }, content);
}
