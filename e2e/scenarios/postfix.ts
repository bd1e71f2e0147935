/** Road, steps 4 to 7: our server and a Postfix send each other mail, by MX, over TLS. */

import { deepEqual, match, ok } from 'node:assert/strict';
import { awkwardBody, letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { type Postfix, startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.net';
const outsider = 'sender@example.org';

export const postfix = scenario('postfix: mail to and from a Postfix', async ({ world, step }) => {
  const theirs = await world.authority().then((authority) => authority.issue('mail.example.net'));
  const dnsPort = await startDns(world, {
    'example.net': { MX: [[10, 'mail.example.net']] },
    'mail.example.net': { A: ['127.0.0.1'] },
  });
  const receiver = await startPostfix(world, {
    name: 'receiver',
    mailboxes: [carol],
    parameters: {
      smtpd_tls_security_level: 'may',
      smtpd_tls_cert_file: theirs.cert,
      smtpd_tls_key_file: theirs.key,
      smtpd_tls_loglevel: '1',
    },
  });
  const ours = await startPosthorn(world, {
    dnsPort,
    accounts: { [alice]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { port: receiver.port },
  });
  const sender = await relayingPostfix(world, ours.port('smtp'));

  await step('Postfix, found by MX, receives what we send, octet for octet', async () => {
    const content = letter({ from: alice, to: carol, id: 'to-postfix', body: awkwardBody });
    match(await deliver(ours.port('smtp'), { from: alice, to: [carol] }, content), /^250/);
    ok((await arrival(receiver.maildir(carol), 'to-postfix')).includes(content));
  });

  await step('P2: a letter of 3 MB arrives octet for octet', async () => {
    const body = 'A line of many, with an ü in it.\r\n'.repeat(90_000);
    const content = letter({ from: alice, to: carol, id: 'large', body });
    match(await deliver(ours.port('smtp'), { from: alice, to: [carol] }, content), /^250/);
    ok((await arrival(receiver.maildir(carol), 'large')).includes(content));
  });

  await step('P9: it came over TLS, and its certificate was checked', async () => {
    match(await receiver.log(), /Anonymous TLS connection established from .*TLSv1\.3/);
    const { stdout } = await ours.command(['trace', '<to-postfix@letters.example>', '--json']);
    match(stdout.toString(), /"certificate": ?"verified"/);
  });

  await step('the next connection takes up the TLS session of the one before', async () => {
    const once = await startPosthorn(world, {
      name: 'once',
      dnsPort,
      accounts: { [alice]: 'secret' },
      delivery: { port: receiver.port },
      more: { site: [{ mx: ['mail.example.net'], messagesPerConnection: 1 }] },
    });
    const tls: unknown[] = [];
    for (const id of ['first', 'second']) {
      const send = ['send', '--from', alice, '--to', carol, '--subject', id, '--text', 'Hi', '--json'];
      const { stdout } = await once.command(send);
      tls.push(/"resumed": ?true/.test(stdout.toString()));
      await arrival(receiver.maildir(carol), `Subject: ${id}`);
    }
    deepEqual(tls, [false, true]);
  });

  await step('P7: an unknown user at Postfix becomes a failure report to the sender', async () => {
    const content = letter({ from: alice, to: 'nobody@example.net', id: 'to-nobody' });
    match(await deliver(ours.port('smtp'), { from: alice, to: ['nobody@example.net'] }, content), /^250/);
    const report = await arrival(ours.maildir(alice), 'multipart/report');
    match(report.toString(), /550 5\.1\.1/);
  });

  await step('Postfix delivers to us over verified TLS, octet for octet', async () => {
    const content = letter({ from: outsider, to: alice, id: 'from-postfix', body: awkwardBody });
    match(await deliver(sender.port, { from: outsider, to: [alice] }, content), /^250/);
    ok((await arrival(ours.maildir(alice), 'from-postfix')).includes(content));
    match(await sender.log(), /Verified TLS connection established to .*TLSv1\.3/);
  });

  await step('Postfix hears 550 5.1.1 about a user that we do not have', async () => {
    const content = letter({ from: outsider, to: 'ghost@example.com', id: 'ghost' });
    match(await deliver(sender.port, { from: outsider, to: ['ghost@example.com'] }, content), /^250/);
    await sender.logged(/to=<ghost@example\.com>.*status=bounced.*550 5\.1\.1/);
  });
});

/** A Postfix that sends everything to us, and only over TLS with our name in the certificate. */
async function relayingPostfix(world: World, port: number): Promise<Postfix> {
  const { caFile } = await world.authority();
  return startPostfix(world, {
    name: 'sender',
    parameters: {
      relayhost: `[127.0.0.1]:${port}`,
      smtp_tls_security_level: 'secure',
      smtp_tls_secure_cert_match: 'mx.example.com',
      smtp_tls_CAfile: caFile,
      smtp_tls_loglevel: '1',
    },
  });
}
