/**
 * A name server that is silent, and one that lies. Mail for such domains waits and says why, nothing goes where a lie
 * leads, and meanwhile the server is as quick as ever for everybody else.
 */

import { deepEqual, match, ok } from 'node:assert/strict';
import { letter } from '../../e2e/letters.ts';
import { arrival } from '../../e2e/maildir.ts';
import { queued, withAdmin } from '../../e2e/peers/control.ts';
import { deliver, greet } from '../../e2e/peers/dialogue.ts';
import { startPosthorn } from '../../e2e/peers/posthorn.ts';
import { startSink } from '../../e2e/peers/sink.ts';
import { type Scenario, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';
import { domainOf, type Lie, lies, startLiar } from './liar.ts';

const alice = 'alice@example.com';

/** What the deferral says. */
const reasons: Readonly<Record<Exclude<Lie, 'honest'>, RegExp>> = {
  silent: /no reply within/,
  'wrong-id': /no reply within/,
  'wrong-question': /no reply within/,
  garbage: /a malformed reply/,
  truncated: /cut short even over TCP/,
  'other-names': /records of other names/,
  'alias-loop': /aliases \(CNAME\) in a row/,
};

/** Messages that wait for the silent server at the same time. */
const waiting = 50;
/** Nobody else notices: a round trip of SMTP on a busy machine. */
const promptMs = 1_000;
/** The stub's time for a question, and for those who wait for their turn. */
const deferralMs = 30_000;

export const dnsFaults: Scenario = scenario(
  'DNS silent, and DNS lying: deferred, and nothing else is held up',
  async ({ world, step }) => {
    const trap = await startSink(world);
    const server = await startPosthorn(world, {
      dnsPort: await startLiar(world),
      accounts: { [alice]: 'secret' },
      protocols: ['smtp'],
      relay: { trustedNetworks: ['127.0.0.0/8'] },
      delivery: { port: trap.port },
    });
    const handIn = (recipient: string) =>
      withAdmin(server, async (admin) => {
        const content = letter({ from: alice, to: recipient, id: recipient });
        await admin.send({ from: alice, recipients: [recipient], content });
      });

    await step('an honest answer is followed', async () => {
      await handIn(`someone@${domainOf('honest')}`);
      await eventually('a message at the sink', () => trap.received.length === 1 || undefined);
    });

    const names = Object.keys(reasons) as Exclude<Lie, 'honest'>[]; // As they are written above.
    for (const lie of names) await handIn(`someone@${domainOf(lie)}`);
    for (let count = 0; count < waiting; count += 1) await handIn(`number-${count}@${domainOf('silent')}`);

    await step('meanwhile sessions are answered at once, and local mail arrives', async () => {
      const startedAt = performance.now();
      const dialogue = await greet(server.port('smtp'));
      match(await dialogue.say('NOOP'), /^250/);
      const content = letter({ from: alice, to: alice, id: 'meanwhile;' });
      match(await deliver(server.port('smtp'), { from: alice, to: [alice] }, content), /^250/);
      await arrival(server.maildir(alice), 'meanwhile;');
      const tookMs = performance.now() - startedAt;
      ok(tookMs < promptMs, `${Math.round(tookMs)} ms`);
    });

    for (const lie of names)
      await step(`DNS ${lies[lie]}: deferred, with that for a reason`, async () => {
        const recipient = `someone@${domainOf(lie)}`;
        const reason = await eventually(
          `a deferral of ${recipient}`,
          async () => (await queued(server)).find((job) => job.recipient === recipient)?.lastError,
          deferralMs,
        );
        match(reason, reasons[lie]);
      });

    await step('nothing has gone where a lie led', () => {
      deepEqual(
        trap.received.map(({ recipients }) => recipients),
        [[`someone@${domainOf('honest')}`]],
      );
    });
  },
);
