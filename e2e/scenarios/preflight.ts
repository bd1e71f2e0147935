/** `posthorn preflight` and a Postfix that is to hear no more than our name; rspamd scores the message. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { startDns } from '../peers/dns.ts';
import { startRspamd } from '../peers/filters.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';

interface Found {
  id: string;
  severity: string;
  fact: string;
}

export const preflight = scenario(
  'preflight: a message is looked at before it is sent to a Postfix',
  async ({ world, step }) => {
    const dnsPort = await startDns(world, {
      'example.com': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
      'example.net': { MX: [[10, 'mail.example.net']] },
      'mail.example.net': { A: ['127.0.0.1'] },
    });
    const carol = 'carol@example.net';
    const receiver = await startPostfix(world, {
      mailboxes: [carol],
      parameters: { message_size_limit: '100000', mailbox_size_limit: '0' },
    });
    const rspamd = await startRspamd(world, dnsPort);
    const ours = await startPosthorn(world, {
      dnsPort,
      delivery: { port: receiver.port },
      more: {
        source: [{ address: '127.0.0.1' }],
        filter: [{ kind: 'rspamd', port: rspamd.port, timeoutSeconds: 10 }],
      },
    });
    const header = 'From: alice@example.com\nTo: carol@example.net\nSubject: Hello\n';
    const look = async (text: string) => {
      const file = world.path('letter.eml');
      await writeFile(file, text);
      const { code, stdout } = await ours.command(['preflight', file, '--to', carol, '--json']);
      const { findings } = JSON.parse(stdout.toString()) as { findings: Found[] };
      return { code, of: (id: string) => findings.find((finding) => finding.id === id) };
    };

    await step('what Postfix announces, what SPF says, what rspamd scores', async () => {
      const { of } = await look(`${header}\nHi\n`);
      match(of('tls-found')?.fact ?? '', /Spoke with mail\.example\.net/);
      equal(of('tls-absent')?.severity, 'notice');
      match(of('size-fits')?.fact ?? '', /takes 100000\./);
      equal(of('spf-pass')?.severity, 'good');
      match(of('rspamd-score')?.fact ?? '', /^Our rspamd scores it /);
    });

    await step('a message that Postfix would refuse is found out without it', async () => {
      const { code, of } = await look(`${header}\n${`${'x'.repeat(70)}\n`.repeat(2000)}`);
      deepEqual([code, of('size-over')?.severity], [1, 'error']);
    });

    await step('Postfix was greeted, and no transaction begun', async () => {
      await receiver.logged(/disconnect from .* ehlo=1 quit=1 commands=2$/m);
      const log = await receiver.log();
      ok(!/ mail=\d/.test(log), log);
    });
  },
);
