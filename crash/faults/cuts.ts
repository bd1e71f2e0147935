/**
 * A receiver that cuts the line at one moment of the dialogue after the other, with and without pipelining. Whoever has
 * no answer waits and gets the message once; only where the answer to the final dot is missing may it come twice, and
 * the dossier says so.
 */

import { equal, match, ok } from 'node:assert/strict';
import { letter } from '../../e2e/letters.ts';
import { traced, withAdmin } from '../../e2e/peers/control.ts';
import { startDns } from '../../e2e/peers/dns.ts';
import { type Posthorn, startPosthorn } from '../../e2e/peers/posthorn.ts';
import { type Scenario, type Stage, scenario } from '../../e2e/runner.ts';
import { eventually } from '../../e2e/wait.ts';
import type { DossierEvent } from '../../src/dossier/event.ts';
import { retryQueue } from '../../src/testing/retry-queue.ts';
import { type AwkwardReceiver, type Moment, startAwkwardReceiver } from './awkward-receiver.ts';

const alice = 'alice@example.com';

interface Cut {
  name: string;
  moment: Moment;
  /** The reply of that moment is still given. */
  afterReply: boolean;
  /** What the dossier says after the first attempt. */
  outcome: 'delivered' | 'deferred' | 'in doubt';
}

const cuts: readonly Cut[] = [
  { name: 'before the banner', moment: 'greeting', afterReply: false, outcome: 'deferred' },
  { name: 'after the banner', moment: 'greeting', afterReply: true, outcome: 'deferred' },
  { name: 'after EHLO', moment: 'EHLO', afterReply: true, outcome: 'deferred' },
  { name: 'after MAIL', moment: 'MAIL', afterReply: true, outcome: 'deferred' },
  { name: 'after RCPT', moment: 'RCPT', afterReply: true, outcome: 'deferred' },
  { name: 'after DATA', moment: 'DATA', afterReply: true, outcome: 'deferred' },
  { name: 'in the middle of the data', moment: 'middle', afterReply: false, outcome: 'deferred' },
  { name: 'after the dot, before the reply', moment: 'dot', afterReply: false, outcome: 'in doubt' },
  { name: 'after the reply, before QUIT', moment: 'dot', afterReply: true, outcome: 'delivered' },
];

const consequence: Readonly<Record<Cut['outcome'], string>> = {
  deferred: 'deferred, then delivered once',
  'in doubt': 'the dossier says that it may be sent more than once, and so it is',
  delivered: 'delivered, once',
};

/**
 * So much that the client is still at it when the line is cut after DATA: more than the sockets' buffers hold. A short
 * letter is out with its dot by then, and rightly in doubt.
 */
const longLetterBytes = 12_000_000;

/** One receiver with its domain. */
interface Site {
  cut: Cut;
  domain: string;
  receiver: AwkwardReceiver;
  /** From now on it cuts no more. */
  heal(): void;
}

export const lineCuts: Scenario = scenario('a receiver that cuts the line', async (stage) => {
  const { world, step } = stage;
  const port = await world.port();
  const sites = await startSites(stage, port);
  const hosts = sites.map(({ domain }, index) => [domain, { A: [addressOf(index)] }] as const);
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world, Object.fromEntries(hosts)),
    accounts: { [alice]: 'secret' },
    protocols: ['smtp'],
    delivery: { port },
  });
  for (const { domain, cut } of sites) await handIn(server, domain, cut);

  for (const cut of cuts)
    await step(`${cut.name}: ${consequence[cut.outcome]}`, async () => {
      const own = sites.filter((site) => site.cut === cut);
      for (const site of own) {
        await checkFirstAttempt(server, site);
        await checkInTheEnd(server, site);
      }
    });
});

/** Every host of loopback's network is this machine; all MX hosts have one port. */
const addressOf = (index: number): string => `127.0.1.${index + 1}`;

async function startSites({ world }: Stage, port: number): Promise<Site[]> {
  const wanted = cuts.flatMap((cut) => [
    { cut, pipelining: false },
    { cut, pipelining: true },
  ]);
  return Promise.all(
    wanted.map(async ({ cut, pipelining }, index) => {
      let isSick = true;
      const receiver = await startAwkwardReceiver(world, {
        address: addressOf(index),
        port,
        pipelining,
        interfere: (moment, socket, reply) => {
          if (!isSick || moment !== cut.moment) return false;
          if (cut.afterReply) socket.write(reply, () => socket.destroy());
          else socket.destroy();
          return true;
        },
      });
      const heal = () => {
        isSick = false;
      };
      return { cut, receiver, domain: `site-${index}.example`, heal };
    }),
  );
}

async function handIn(server: Posthorn, domain: string, { moment }: Cut): Promise<void> {
  const to = `someone@${domain}`;
  const line = `A line for ${domain}.\r\n`;
  const isLong = moment === 'DATA' || moment === 'middle';
  const body = line.repeat(isLong ? longLetterBytes / line.length : 3);
  await withAdmin(server, (admin) =>
    admin.send({ from: alice, recipients: [to], content: letter({ from: alice, to, id: domain, body }) }),
  );
}

async function checkFirstAttempt(server: Posthorn, { cut: { outcome }, domain }: Site): Promise<void> {
  const result = await eventually(`an outcome for ${domain}`, async () =>
    (await traced(server, `<${domain}@letters.example>`)).find(
      ({ event }) => event === 'deferred' || event === 'delivered' || event === 'inDoubt',
    ),
  );
  equal(result.event, outcome === 'in doubt' ? 'inDoubt' : outcome);
  if (result.event === 'delivered') return;
  const { phase, reason } = result.data as Extract<DossierEvent, { event: 'deferred' }>['data'];
  equal(/may be sent more than once/.test(phase), outcome === 'in doubt', phase);
  match(reason, /closed|reset|EPIPE/i);
}

async function checkInTheEnd(server: Posthorn, { cut, domain, receiver, heal }: Site): Promise<void> {
  heal();
  await withAdmin(server, async (admin) => {
    await retryQueue(admin, { domain });
    const isDone = async () => (await admin.listQueue({ domain, limit: 1 })).jobs.length === 0;
    await eventually(`no mail left for ${domain}`, async () => (await isDone()) || undefined);
  });
  equal(receiver.messages.length, cut.outcome === 'in doubt' ? 2 : 1);
  ok(receiver.messages.every((each) => each.includes(domain)));
}
