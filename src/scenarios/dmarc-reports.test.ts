import { expect, test } from 'vitest';
import { tickMs } from '../reporting/day-reports.ts';
import { firstLookMs } from '../reporting/inbox/own-addresses.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { startWorld } from '../testing/world.ts';

const sender = 'sender@example.com';
const recipient = 'recipient@example.net';
const dayMs = 24 * 3600_000;
const noon = Date.UTC(2026, 0, 5, 12);

test('DMARC reports: who sends as us is told by those who got it, and counted here', async () => {
  const clock = fakeClock(noon);
  await using world = await startWorld({
    clock,
    servers: {
      'example.com': { accounts: { [sender]: 'secret' } },
      'example.net': {
        accounts: { [recipient]: 'secret' },
        settings: { reports: { dmarc: true, contact: recipient } },
      },
    },
    dns: { '_dmarc.example.com': { TXT: [`v=DMARC1; p=reject; rua=mailto:${sender}`] } },
  });
  const { 'example.com': ours, 'example.net': theirs } = world.servers;
  // Where reports come to, our own record says: it is looked up while the letters go out.
  clock.advance(firstLookMs);
  for (let n = 0; n < 2; n++) {
    const { queueId = '' } = await ours.submit({ from: sender, to: [recipient] });
    expect(await ours.settled(queueId)).toMatchObject([{ state: 'delivered' }]);
  }
  clock.advance(dayMs);
  const [letter = ''] = await ours.inbox(sender, 1);
  expect(letter).toMatch(/^Authentication-Results: .*dkim=pass.*dmarc=pass.*header.from=example\.net/ms);
  expect(letter).toMatch(/Subject: Report Domain: example\.com Submitter: example\.net/);
  const summary = await eventually(
    async () => {
      const found = await ours.withAdmin((admin) => admin.dmarcSummary({ since: 0 }));
      return found.reports > 0 ? found : undefined;
    },
    { explain: () => 'the report is not read' },
  );
  expect(summary).toMatchObject({
    organizations: [{ name: 'example.net', reports: 1 }],
    messages: 2,
    passed: 2,
    sources: [
      { headerFrom: 'example.com', messages: 2, dkimAligned: 2, rejected: 0, reporters: ['example.net'] },
    ],
  });
  const { data } = await theirs.event(sender, 'dmarcReported');
  expect(data).toMatchObject({
    uri: `mailto:${sender}`,
    domain: 'example.com',
    day: '2026-01-05',
    messages: 2,
  });

  // The report itself is not reported on, and nothing is told twice.
  for (let day = 0; day < 2; day += 1) {
    clock.advance(dayMs);
    await eventually(async () => clock.planned.includes(clock.now() + tickMs) || undefined, {
      explain: () => 'the reports do not come to rest',
    });
  }
  expect(await ours.files(sender)).toHaveLength(1);
});
