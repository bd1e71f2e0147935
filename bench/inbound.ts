/**
 * What the checks of mail from outside cost: authentication alone, and `local` with everything that is on by default against
 * `local` without (a trusted network, whose mail is not checked). The message is signed beforehand, DNS is asked once.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deliver } from '../e2e/peers/dialogue.ts';
import { startDns } from '../e2e/peers/dns.ts';
import type { Posthorn } from '../e2e/peers/posthorn.ts';
import { runOk } from '../e2e/process.ts';
import { dkimRecord, generateDkimKey } from '../src/authentication/dkim-key.ts';
import { createSigner } from '../src/authentication/dkim-sign.ts';
import { signMessage } from '../src/authentication/sign-message.ts';
import { systemClock } from '../src/util/clock.ts';
import { mailboxes, startCountingSink } from './arrivals.ts';
import type { Bench, BenchContext, BenchReport } from './bench.ts';
import { contestTable, deliveredRate, descriptions } from './comparison.ts';
import { type Contestant, type Played, playContest } from './contest.ts';
import { spreadLoad } from './load.ts';
import { ourDescription, startBuilt } from './peers/posthorn.ts';
import type { RawAuthentication } from './raw-authentication.ts';
import { settingsFor } from './settings.ts';
import { showSummary, summarize } from './statistics.ts';
import { atLeast, atMost } from './targets.ts';

export const inboundBench: Bench = {
  name: 'inbound',
  description:
    'authentication of 1 KiB signed with DKIM; local with all default checks, against local without',
  run: benchInbound,
};

const userCount = 100;
const sender = 'sender@example.org';

async function benchInbound(context: BenchContext): Promise<BenchReport> {
  const settings = settingsFor(context.options, { messages: 8_000 });
  const { messages, sizeBytes, sessions, rounds } = settings;
  const raw: RawAuthentication[] = [];
  for (let round = 0; round < rounds; round += 1) raw.push(await rawAuthentication(sizeBytes));
  // smtp-source comes with the package of the sink.
  await startCountingSink(context.world);
  const played = await playContest(
    await startServers(context, { sizeBytes, sessions }),
    settings,
    context.log,
  );
  const title = `inbound: ${messages} messages of ${sizeBytes} octets to ${userCount} users, ${sessions} sessions`;
  return report(title, { sizeBytes, raw, played });
}

interface Result {
  sizeBytes: number;
  raw: readonly RawAuthentication[];
  /** With the checks, and without. */
  played: readonly Played[];
}

function report(title: string, { sizeBytes, raw, played }: Result): BenchReport {
  const rate = summarize(raw.map(({ perSecond }) => perSecond));
  const large = summarize(raw.map(({ largeDelayMs }) => largeDelayMs));
  const signatures = summarize(raw.map(({ signaturesDelayMs }) => signaturesDelayMs));
  const [checked = 0, unchecked = 0] = played.map(deliveredRate);
  const share = checked / unchecked;
  return {
    rows: [
      {
        bench: 'inbound',
        peer: 'without checks',
        sizeBytes,
        unit: 'msg/s',
        ours: checked,
        theirs: unchecked,
        ratio: share,
      },
    ],
    text: [
      `inbound: SPF, DKIM, ARC, DMARC, iprev and Authentication-Results of ${sizeBytes} octets: ${showSummary(rate)} per second`,
      `  longest turn of the event loop: ${showSummary(large, 1)} ms for 50 MB, ${showSummary(signatures, 1)} ms for 1,000 signatures`,
      contestTable(title, played),
      descriptions(played),
    ].join('\n'),
    targets: [
      atLeast('inbound, authentication', rate.median, { must: 2_000, aim: 4_000, unit: '/s' }),
      atMost('inbound, a turn with 50 MB', large.median, { must: 25, aim: 10, unit: ' ms' }),
      atMost('inbound, a turn with 1,000 signatures', signatures.median, { must: 25, aim: 10, unit: ' ms' }),
      atLeast('inbound, local with all checks', 100 * share, { must: 50, aim: 70, unit: ' %' }),
    ],
  };
}

const rawSeconds = 3;

async function rawAuthentication(sizeBytes: number): Promise<RawAuthentication> {
  const script = join(import.meta.dirname, 'raw-authentication.ts');
  const env = { UV_THREADPOOL_SIZE: '16' };
  const { stdout } = await runOk(process.execPath, [script, String(rawSeconds), String(sizeBytes)], { env });
  return JSON.parse(stdout.toString());
}

interface Sent {
  sizeBytes: number;
  sessions: number;
}

async function startServers(context: BenchContext, { sizeBytes, sessions }: Sent): Promise<Contestant[]> {
  const { message, zone } = await signedMessage(sizeBytes);
  const file = context.world.path('message');
  // smtp-source writes the line ends itself.
  await writeFile(file, message.replaceAll('\r\n', '\n'));
  const dnsPort = await startDns(context.world, zone);
  const users = Array.from({ length: userCount }, (_, number) => `user${number}@example.com`);
  const load = { sizeBytes, sessions, connections: 'reused', sender, file } as const;
  const contestant = async (name: string, relay: { trustedNetworks: string[] }): Promise<Contestant> => {
    const server = await startBuilt(context, { name, relay, dnsPort });
    await importAccounts(context, server, users);
    if (relay.trustedNetworks.length === 0) await demandPass(server, message);
    const arrivals = mailboxes(users.map(server.maildir));
    await arrivals.empty();
    const send = (messages: number) => spreadLoad(server.port('smtp'), { ...load, messages }, users);
    return {
      name,
      description: ourDescription,
      pid: server.pid,
      arrivals,
      send,
      tidyUp: () => arrivals.empty(),
    };
  };
  return [
    await contestant('posthorn', { trustedNetworks: [] }),
    await contestant('without-checks', { trustedNetworks: ['127.0.0.0/8'] }),
  ];
}

async function signedMessage(sizeBytes: number) {
  const privateKeyPem = await generateDkimKey('rsa');
  const signer = createSigner({ domain: 'example.org', selector: 's1', privateKeyPem, clock: systemClock });
  const line = `${'A line of text as people write them, and not much longer.'.padEnd(69)}.\r\n`;
  const body = line.repeat(Math.ceil(sizeBytes / line.length));
  const header = `Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nFrom: <${sender}>\r\nTo: you@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.org>\r\n`;
  const letter = `${header}\r\n${body}`;
  const zone = {
    's1._domainkey.example.org': { TXT: [dkimRecord(privateKeyPem).value] },
    '_dmarc.example.org': { TXT: ['v=DMARC1; p=reject'] },
  };
  return { message: (await signMessage(signer, Buffer.from(letter))) + letter, zone };
}

async function importAccounts({ world }: BenchContext, server: Posthorn, users: readonly string[]) {
  const file = world.path('accounts.csv');
  await writeFile(file, users.map((user) => `${user},a secret of ${user}\n`).join(''));
  const { code, output } = await server.command(['account', 'import', file]);
  if (code !== 0) throw new Error(`account import failed:\n${output}`);
}

/** Hands one message in, and asks its dossier: no figure would be worth anything if it were not authenticated. */
async function demandPass(server: Posthorn, message: string): Promise<void> {
  const envelope = { from: sender, to: ['user0@example.com'] };
  const reply = await deliver(server.port('smtp'), envelope, Buffer.from(message));
  const queueId = /Queued as (\S+)/.exec(reply)?.[1] ?? '';
  const { output } = await server.command(['trace', queueId, '--json']);
  if (!/spf=pass[\s\S]*dkim=pass[\s\S]*dmarc=pass/.test(output))
    throw new Error(`the message is not authenticated: ${reply}\n${output}`);
}
