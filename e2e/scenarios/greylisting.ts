/** M7 and the reports of delay and failure against others: Postfix with postgrey as receiver, Python as reader. */

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { letter } from '../letters.ts';
import { arrival } from '../maildir.ts';
import { deliver } from '../peers/dialogue.ts';
import { startDns } from '../peers/dns.ts';
import { startPostfix } from '../peers/postfix.ts';
import { startPostgrey } from '../peers/postgrey.ts';
import { type Posthorn, startPosthorn } from '../peers/posthorn.ts';
import { runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { eventually } from '../wait.ts';
import type { World } from '../world.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.net';
const delaySeconds = 6;

/** Postgrey counts whole seconds, we add two and a little (delivery/receivers/receivers.ts), and processes take their time. */
const marginSeconds = 6;

export const greylisting = scenario('greylisting: a Postfix with postgrey', async ({ world, step }) => {
  const { receiver, server } = await startBoth(world);

  await step(
    'M7: a letter is refused at first, and delivered at the first moment that the receiver allows',
    async () => {
      const content = letter({ from: alice, to: carol, id: 'greylisted' });
      match(await deliver(server.port('smtp'), { from: alice, to: [carol] }, content), /^250/);
      await arrival(receiver.maildir(carol), 'greylisted', 40_000);
      const events = await dossier(server, '<greylisted@letters.example>');
      const deferred = events.filter(({ event }) => event === 'deferred');
      equal(deferred.length, 1);
      match(String(deferred[0]?.rule), /^greylisting: tried again as soon as the receiver says/);
      const waited = (at(events, 'delivered') - at(events, 'deferred')) / 1000;
      ok(waited >= delaySeconds - 1 && waited <= delaySeconds + marginSeconds, `${waited} s`);
      match(await receiver.log(), /Greylisted, try again in \d+ seconds/);
    },
  );

  await step('M7: what the receiver needed is remembered, and forgotten by command', async () => {
    const list = async () => (await server.command(['receivers', 'list'])).stdout.toString();
    // What was learned is written after some seconds, all together.
    const known = await eventually('a receiver', async () => (await list()) || undefined);
    match(known, /mail\.example\.net.*greylists for up to/);
    match((await server.command(['receivers', 'reset', '--all'])).stdout.toString(), /1 receiver forgotten/);
  });

  await step('P8: Python reads the report of a failure (RFC 3464)', async () => {
    const content = letter({ from: alice, to: 'nobody@example.net', id: 'to-nobody' });
    match(await deliver(server.port('smtp'), { from: alice, to: ['nobody@example.net'] }, content), /^250/);
    const report = await readReport(await arrival(server.maildir(alice), 'Action: failed', 40_000));
    deepEqual(
      { ...report, diagnostic: undefined },
      {
        type: 'multipart/report',
        reportType: 'delivery-status',
        parts: ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
        recipient: 'rfc822;nobody@example.net',
        action: 'failed',
        status: '5.1.1',
        subject: 'to-nobody',
        from: 'postmaster@example.com',
        diagnostic: undefined,
      },
    );
    match(String(report.diagnostic), /^smtp; 550 5\.1\.1 .*nobody@example\.net/);
  });
});

async function startBoth(world: World) {
  const text = 'Greylisted, try again in %s seconds';
  const policy = await startPostgrey(world, { delaySeconds, text });
  const receiver = await startPostfix(world, {
    mailboxes: [carol],
    parameters: {
      smtpd_recipient_restrictions: `reject_unlisted_recipient, check_policy_service inet:127.0.0.1:${policy}`,
    },
  });
  const server = await startPosthorn(world, {
    dnsPort: await startDns(world, {
      'example.net': { MX: [[10, 'mail.example.net']] },
      'mail.example.net': { A: ['127.0.0.1'] },
    }),
    accounts: { [alice]: 'secret' },
    relay: { trustedNetworks: ['127.0.0.0/8'] },
    delivery: { port: receiver.port },
  });
  return { receiver, server };
}

interface Event {
  at: number;
  event: string;
  rule?: unknown;
}

async function dossier(server: Posthorn, subject: string): Promise<Event[]> {
  const { stdout } = await server.command(['trace', subject, '--json']);
  const lines: unknown = JSON.parse(stdout.toString());
  // What `trace --json` prints is a list of events.
  return lines as Event[];
}

function at(events: readonly Event[], name: string): number {
  const found = events.find(({ event }) => event === name);
  if (found === undefined) throw new Error(`no event "${name}"`);
  return new Date(found.at).getTime();
}

/** Python's email package knows message/delivery-status as blocks of fields: about the message, then each recipient. */
const reader = `
import email, email.policy, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts = list(message.iter_parts())
fields = parts[1].get_payload()[1]
original = email.message_from_string(parts[2].get_content() if parts[2].get_content_maintype() == 'text' else str(parts[2]))
print(json.dumps({
    'type': message.get_content_type(),
    'reportType': message['content-type'].params['report-type'],
    'parts': [part.get_content_type() for part in parts],
    'recipient': fields['final-recipient'],
    'action': fields['action'],
    'status': fields['status'],
    'diagnostic': ' '.join(fields['diagnostic-code'].split()),
    'subject': original['subject'],
    'from': message['from'].addresses[0].addr_spec,
}))
`;

async function readReport(report: Buffer): Promise<Record<string, unknown>> {
  const { stdout } = await runOk('python3', ['-c', reader], { input: report });
  const read: unknown = JSON.parse(stdout.toString());
  // The script above prints an object.
  return read as Record<string, unknown>;
}
