/**
 * Capability "recipients" against others: what a Postfix sends from a domain with `-all` goes on through us to another
 * Postfix, and Debian's dkimpy and pyspf find nothing wrong with it there; a bounce finds back.
 */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dkimRecord } from '../../src/authentication/dkim-key.ts';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { awkwardBody, letter } from '../letters.ts';
import { arrival, readMaildir } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { type Postfix, startPostfix } from '../peers/postfix.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { askPython } from '../peers/verifiers.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const sender = 'sender@example.org';
const bob = 'bob@example.com';
const carol = 'carol@example.net';
/** Where each comes from: nowhere else does its domain's mail. */
const places = { sender: '127.0.0.71', ours: '127.0.0.72', receiver: '127.0.0.73' };

export const forwards = scenario(
  'forwards: from a Postfix through us to a Postfix',
  async ({ world, step }) => {
    const { signed, zone, theirs, ours } = await startThree(world);
    const send = async (id: string, to: string) => {
      const content = await signed(letter({ from: sender, to, id, body: awkwardBody }));
      match(await deliver(theirs.sending.port, { from: sender, to: [to] }, content), /^250/);
      return content;
    };
    let rewritten = '';

    await step(
      'a forward arrives as it was sent, and passes SPF, DKIM and so DMARC at its receiver',
      async () => {
        const content = await send('forwarded', bob);
        const arrived = await arrival(theirs.receiving.maildir(carol), 'Subject: forwarded');
        ok(arrived.includes(content));
        const text = arrived.toString('latin1');
        rewritten = /^Return-Path: <(.*)>/m.exec(text)?.[1] ?? '';
        match(rewritten, /^SRS0=.*=example\.org=sender@example\.com$/);
        match(text, /^Delivered-To: bob@example\.com\r$/m);
        match(text, new RegExp(`^Received: from mx\\.example\\.com .*\\[${places.ours}\\]`, 'm'));
        const helo = 'mx.example.com';
        const { signatures, spf } = await askPython({
          zone,
          verify: [arrived],
          spf: [
            { address: places.ours, sender: rewritten, helo },
            // What it would have been without that.
            { address: places.ours, sender, helo },
          ],
        });
        // Of the author's domain, so that DMARC passes by it (RFC 9989).
        match(text, /^DKIM-Signature:(?:.*\r\n[ \t])*.*d=example\.org/m);
        deepEqual({ signatures, spf }, { signatures: [[true]], spf: ['pass', 'fail'] });
      },
    );

    await step('an alias that leads elsewhere does the same', async () => {
      await ours.command(['alias', 'team@example.com', carol]);
      const content = await send('by an alias', 'team@example.com');
      const arrived = await arrival(theirs.receiving.maildir(carol), 'Subject: by an alias');
      ok(arrived.includes(content));
      match(arrived.toString('latin1'), /^Return-Path: <SRS0=.*=example\.org=sender@example\.com>/m);
    });

    await step('a bounce that Postfix makes later finds its way to the first sender', async () => {
      await ours.command(['account', 'forward', bob, '--to', 'ghost@example.net']);
      await send('to be bounced', bob);
      await theirs.receiving.logged(/to=<ghost@example\.net>.*status=bounced/);
      const report = await arrival(theirs.sending.maildir(sender), 'ghost@example.net');
      match(report.toString('latin1'), /^Content-Type: multipart\/report/m);
      match(report.toString('latin1'), /Subject: to be bounced/);
    });

    await step(
      'a refusal by Postfix brings the letter into the forwarder’s Junk, and no report to its sender',
      async () => {
        const before = (await readMaildir(theirs.sending.maildir(sender))).length;
        await ours.command(['account', 'forward', bob, '--to', 'nobody@refused.example']);
        await send('refused', bob);
        const letterBack = await arrival(`${ours.maildir(bob)}/.Junk`, 'Subject: refused');
        match(
          letterBack.toString('latin1'),
          /^X-Posthorn-Forward: could not be passed on to <nobody@refused\.example>: 554 5\.7\.1/m,
        );
        equal(await theirs.sending.queueLength(), 0);
        equal((await readMaildir(theirs.sending.maildir(sender))).length, before);
      },
    );
  },
);

interface Three {
  signed(content: Buffer): Promise<Buffer>;
  zone: ZoneData;
  theirs: { sending: Postfix; receiving: Postfix };
  ours: Posthorn;
}

async function startThree(world: World): Promise<Three> {
  const { key, zone } = await domains(world);
  const [outside, dnsPort] = [await world.port(), await startDns(world, zone)];
  const ours = await startPosthorn(world, {
    dnsPort,
    accounts: { [bob]: 'secret' },
    delivery: { port: outside },
    more: { source: [{ address: places.ours }] },
  });
  await ours.command(['account', 'forward', bob, '--to', carol]);
  const toUs = { relayhost: `[127.0.0.1]:${ours.port('smtp')}` };
  const sending = await startPostfix(world, {
    name: 'sending',
    mailboxes: [sender],
    at: { address: '127.0.0.1', port: outside },
    parameters: { ...toUs, smtp_bind_address: places.sender, myhostname: 'mail.example.org' },
  });
  const receiving = await startPostfix(world, {
    name: 'receiving',
    mailboxes: [carol],
    at: { address: places.receiver, port: outside },
    parameters: {
      ...toUs,
      smtp_bind_address: places.receiver,
      myhostname: 'mail.example.net',
      // Taken, and bounced after that: as servers do that ask another one who is there.
      smtpd_reject_unlisted_recipient: 'no',
      mynetworks: '127.0.0.1/32',
      smtpd_relay_restrictions: 'reject_unauth_destination',
    },
  });
  const signed = async (message: Buffer) => {
    const how = { domain: 'example.org', selector: 'e2e', key, canonicalization: 'relaxed/relaxed' };
    const answered = await askPython({ zone: {}, sign: [{ message, ...how, algorithm: 'rsa-sha256' }] });
    return answered.signed[0] ?? message;
  };
  return { signed, zone, theirs: { sending, receiving }, ours };
}

/** Each with `-all`, and the sender's with a policy to reject what proves nothing. */
async function domains(world: World): Promise<{ key: string; zone: ZoneData }> {
  const file = world.path('e2e.pem');
  await runOk('openssl', ['genrsa', '-traditional', '-out', file, '2048']);
  const key = await readFile(file, 'utf8');
  const spf = (address: string) => `v=spf1 ip4:${address} -all`;
  return {
    key,
    zone: {
      'example.org': { MX: [[10, 'mail.example.org']], TXT: [spf(places.sender)] },
      'mail.example.org': { A: ['127.0.0.1'], TXT: [spf(places.sender)] },
      'e2e._domainkey.example.org': { TXT: [dkimRecord(key).value] },
      '_dmarc.example.org': { TXT: ['v=DMARC1; p=reject'] },
      'example.com': { MX: [[10, 'mx.example.com']], TXT: [spf(places.ours)] },
      'example.net': { MX: [[10, 'mail.example.net']], TXT: [spf(places.receiver)] },
      'mail.example.net': { A: [places.receiver], TXT: [spf(places.receiver)] },
      'refused.example': { MX: [[10, 'mail.example.net']] },
    },
  };
}
