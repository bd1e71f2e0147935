import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MatchedMessage } from '../reporting/inbox/complaint.ts';
import type { StoredReport } from '../store/report-store.ts';
import { eventually } from '../testing/eventually.ts';
import { startWorld, type World } from '../testing/world.ts';

const sender = 'sender@example.com';
const bob = 'bob@example.net';
const forger = 'forger@example.net';

let world: World<'example.com' | 'example.net'>;
beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [sender]: 'secret' }, settings: { reports: { abuse: true } } },
      'example.net': { accounts: { [bob]: 'secret', [forger]: 'secret' } },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** As a provider writes one: the recipient left out, the header as it came. */
const complaintOf = (from: string, header: string) =>
  [
    `From: <${from}>`,
    'To: <abuse@example.com>',
    'Subject: complaint',
    `Message-ID: <${Math.random()}@example.net>`,
    'Date: Fri, 27 Nov 2026 12:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Somebody does not like this.',
    '--b',
    'Content-Type: message/feedback-report',
    '',
    'Feedback-Type: abuse',
    'Version: 1',
    'User-Agent: test/1',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    header,
    '--b--',
    '',
  ].join('\r\n');

type Complaint = StoredReport & { data: { matched: MatchedMessage } };

const complaints = (count: number): Promise<Complaint[]> =>
  eventually(
    async () => {
      const { reports } = await world.servers['example.com'].withAdmin((admin) =>
        admin.listReports({ kind: 'abuse', since: 0, limit: 100 }),
      );
      return reports.length === count ? (reports as Complaint[]) : undefined; // written by report-inbox.ts
    },
    { explain: () => 'the complaints are not read' },
  );

test('ARF: a complaint with our own token ends our mail to whoever complains; one without is only shown', async () => {
  const { 'example.com': ours, 'example.net': theirs } = world.servers;
  const { queueId = '' } = await ours.submit({ from: sender, to: [bob] });
  expect(await ours.settled(queueId)).toMatchObject([{ state: 'delivered' }]);
  const [letter = ''] = await theirs.inbox(bob, 1);
  const header = letter.slice(0, letter.indexOf('\r\n\r\n'));
  expect(header).toMatch(/^CFBL-Address: abuse@example\.com; report=arf\r\n/m);
  expect(header).toMatch(new RegExp(`^CFBL-Feedback-ID: 1:${queueId}:`, 'm'));
  expect(header).toMatch(/^DKIM-Signature: [\s\S]*?h=[^;]*CFBL-Address:\s*CFBL-Feedback-ID/im);

  const withoutToken = header.replace(/^CFBL-Feedback-ID: .*\r\n(?:\t.*\r\n)*/m, '');
  await theirs.submit({ from: bob, to: ['abuse@example.com'], content: complaintOf(bob, withoutToken) });
  const [unproven] = await complaints(1);
  expect(unproven?.data.matched).toEqual({
    queueId,
    account: sender,
    recipients: [bob],
    why: 'it does not hold our token for this message',
  });
  const again = await ours.submit({ from: sender, to: [bob] });
  expect(again.replies.get(bob)).toMatchObject({ code: 250 });

  await theirs.submit({ from: bob, to: ['abuse@example.com'], content: complaintOf(bob, header) });
  const [, proven] = await complaints(2);
  expect(proven?.sender).toBe('example.net');
  expect(proven?.data.matched).toMatchObject({ queueId, suppressed: bob });
  const refused = await ours.submit({ from: sender, to: [bob, forger] });
  expect(refused.replies.get(bob)?.code).toBe(550);
  expect(refused.replies.get(forger)?.code).toBe(250);
});
