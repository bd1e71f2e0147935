/** What an operator does to mail that waits for a Postfix: suspend, hold, redirect, bounce, and the addresses that nobody has. */

import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival, readMaildir } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.net';
const dave = 'dave@example.net';

export const queue = scenario(
  'queue: an operator, and mail that waits for a Postfix',
  async ({ world, step }) => {
    const dnsPort = await startDns(world, {
      'example.net': { MX: [[10, 'mail.example.net']] },
      'mail.example.net': { A: ['127.0.0.1'] },
    });
    const receiver = await startPostfix(world, { name: 'receiver', mailboxes: [carol, dave] });
    const ours = await startPosthorn(world, {
      dnsPort,
      accounts: { [alice]: 'secret' },
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      delivery: { port: receiver.port },
      more: { suppression: { failures: 1 } },
    });
    const send = async (id: string, to: string) =>
      deliver(ours.port('smtp'), { from: alice, to: [to] }, letter({ from: alice, to, id }));
    const order = async (...args: string[]) => {
      const { code, stdout, stderr } = await ours.command(['queue', ...args]);
      equal(code, 0, stderr.toString());
      return stdout.toString();
    };

    await step(
      'suspend: new mail is taken, says why it waits, and is not sent, over a restart too',
      async () => {
        await order('suspend', '--site', 'mail.example.net', '--reason', 'moving house');
        for (const id of ['waits', 'held', 'moved', 'returned'])
          match(await send(id, id === 'moved' ? dave : carol), /^250/);
        await waiting(ours, 4);
        await ours.stop();
        await ours.start();
        match(await send('later', carol), /^250/);
        await waiting(ours, 5);
        match(
          await order('list'),
          /suspended\n {4}the site mail\.example\.net is suspended by .*: moving house/,
        );
        doesNotMatch(await receiver.log(), /from=<alice/);
      },
    );

    await step('hold, redirect and bounce: by id, with the reason in the dossier', async () => {
      match(
        await order('hold', '--id', await idOf(ours, 'held'), '--reason', 'legal asks'),
        /1 recipient on hold/,
      );
      match(await order('redirect', '--recipient', dave, '--to', carol), /1 recipient redirected/);
      match(
        await order('bounce', '--id', await idOf(ours, 'returned'), '--reason', 'the address is closed'),
        /1 recipient bounced/,
      );
      const report = (await arrival(ours.maildir(alice), 'multipart/report')).toString();
      match(report.replaceAll(/=\r?\n/g, '').replaceAll(/\s+/g, ' '), /the address is closed/);
      match(report, /Final-Recipient: rfc822;carol@example\.net\r?\nAction: failed\r?\nStatus: 5\.0\.0/);
    });

    await step(
      'resume: what waited arrives, under its new address too; what is held and what was returned does not',
      async () => {
        match(await order('resume', '--site', 'mail.example.net'), /resumed/);
        for (const id of ['waits', 'later', 'moved'])
          await arrival(receiver.maildir(carol), `<${id}@letters.example>`);
        deepEqual(await readMaildir(receiver.maildir(dave)), []);
        const there = (await readMaildir(receiver.maildir(carol))).map(String);
        for (const id of ['held', 'returned'])
          ok(!there.some((text) => text.includes(`<${id}@letters.example>`)));
        match(await order('list'), /on hold for .*, by /);
      },
    );

    await step('release: it arrives, and its dossier tells the whole story', async () => {
      await order('release', '--state', 'held');
      await arrival(receiver.maildir(carol), '<held@letters.example>');
      const { stdout } = await ours.command(['trace', '<held@letters.example>']);
      match(
        stdout.toString(),
        /Deferred: the site mail\.example\.net is suspended.*Put on hold by.*why: legal asks.*resumed by.*Released from hold by.*Delivered to mail\.example\.net/s,
      );
      match(await order('list'), /The queue is empty/);
    });

    await step('an address that Postfix has nobody for is refused at RCPT the next time', async () => {
      match(await send('nobody', 'nobody@example.net'), /^250/);
      await eventually('a suppressed address', async () => {
        const { code } = await ours.command(['suppression', 'show', 'nobody@example.net']);
        return code === 0 || undefined;
      });
      match(await send('again', 'nobody@example.net'), /^550[- ]5\.1\.1 .*User unknown/s);
      const { code } = await ours.command(['suppression', 'remove', 'nobody@example.net']);
      equal(code, 0);
      match(await send('again', 'nobody@example.net'), /^250/);
    });
  },
);

async function waiting(ours: Posthorn, count: number): Promise<void> {
  await eventually(`${count} recipients that wait`, async () => {
    const { stdout } = await ours.command(['queue', 'list', '--json', '--state', 'waiting']);
    return JSON.parse(stdout.toString()).length === count || undefined;
  });
}

async function idOf(ours: Posthorn, id: string): Promise<string> {
  const { stdout } = await ours.command(['trace', `<${id}@letters.example>`, '--json']);
  return JSON.parse(stdout.toString())[0].queueId;
}
