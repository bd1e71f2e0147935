import { expect, test } from 'vitest';
import { sampleEvent, temporaryStore } from '../../testing/store.ts';
import type { EventRow } from '../event-store.ts';
import type { Store } from '../store.ts';

const account = (address: string) => ({ address, passwordHash: 'x', createdAt: 1 });
const trace = (store: Store, queueId: string) => store.trace({ queueId, limit: 1 });
const recipientsOf = (events: EventRow[]) => events.map(({ recipient }) => recipient);

function received(queueId: string, to: string[]): EventRow[] {
  const dialogue = to.map((recipient, index) => [index, `C: RCPT TO:<${recipient}>`]);
  const accepted = sampleEvent(queueId, { data: { from: 'outside@example.org', to, dialogue } });
  return [
    accepted,
    ...to.map((recipient) => sampleEvent(queueId, { at: 2000, event: 'delivered', recipient })),
  ];
}

test('eraseAccount() erases the dossiers of what the account alone received', async () => {
  await using world = await temporaryStore();
  await world.store.addAccounts([account('a@example.com')]);
  await world.store.appendEvents(received('Q1', ['a@example.com']));
  expect(await world.store.eraseAccount('a@example.com')).toBe(true);
  expect(await trace(world.store, 'Q1')).toEqual([]);
  expect(await world.store.findAccount('a@example.com')).toBeUndefined();
  expect(await world.store.eraseAccount('a@example.com')).toBe(false);
});

test('eraseAccount() keeps what others received, with the address struck out', async () => {
  await using world = await temporaryStore();
  await world.store.addAccounts([account('a@example.com'), account('aa@example.com')]);
  await world.store.appendEvents(received('Q1', ['A@Example.com', 'aa@example.com', 'a@example.com.au']));
  await world.store.eraseAccount('a@example.com');
  const events = await trace(world.store, 'Q1');
  expect(recipientsOf(events)).toEqual([undefined, 'aa@example.com', 'a@example.com.au']);
  expect(events[0]?.data).toEqual({
    from: 'outside@example.org',
    to: ['aa@example.com', 'a@example.com.au'],
    dialogue: [
      [1, 'C: RCPT TO:<aa@example.com>'],
      [2, 'C: RCPT TO:<a@example.com.au>'],
    ],
  });
  expect(await world.store.trace({ address: 'a@example.com', limit: 9 })).toEqual([]);
  expect(await world.store.trace({ address: 'aa@example.com', limit: 9 })).toHaveLength(3);
});

test('eraseAccount() erases what the account sent, but for the part of local recipients', async () => {
  await using world = await temporaryStore();
  await world.store.addAccounts([account('a@example.com'), account('b@example.com')]);
  const sent = (queueId: string, to: string[]) => [
    sampleEvent(queueId, { data: { from: 'a@example.com', account: 'a@example.com', to } }),
    ...to.map((recipient) => sampleEvent(queueId, { event: 'delivered', recipient })),
  ];
  await world.store.appendEvents(sent('Q1', ['x@example.org']));
  await world.store.appendEvents(sent('Q2', ['x@example.org', 'b@example.com']));
  await world.store.eraseAccount('a@example.com');
  expect(await trace(world.store, 'Q1')).toEqual([]);
  const kept = await trace(world.store, 'Q2');
  expect(recipientsOf(kept)).toEqual([undefined, 'b@example.com']);
  expect(kept[0]?.data).toEqual({ from: 'erased', account: 'erased', to: ['b@example.com'] });
});

test('eraseAccount() goes through the whole log by steps', async () => {
  await using world = await temporaryStore();
  await world.store.addAccounts([account('a@example.com')]);
  const ids = Array.from({ length: 900 }, (_, number) => `Q${number}`);
  const padding = 'x'.repeat(4000);
  await world.store.appendEvents(
    ids.map((id) => sampleEvent(id, { recipient: 'a@example.com', data: { padding } })),
  );
  await world.store.eraseAccount('a@example.com');
  expect(await world.store.trace({ limit: 9999 })).toEqual([]);
});

test('eraseAccount() strikes out subaddresses, unless they are somebody’s own address', async () => {
  await using world = await temporaryStore();
  const mary = 'mary@my-host.example';
  const names = ['mary+news', 'mary-ann', 'mary-list', 'mary-spam', 'rosemary+x', 'bob'];
  const [news, ann, list, spam, rose, bob] = names.map((name) => `${name}@my-host.example`) as [
    ...[string, string, string, string, string, string],
  ];
  await world.store.addAccounts([mary, ann, bob].map(account));
  await world.store.setAlias({ address: list, targets: [bob] });
  const to = [news.toUpperCase(), ann, list, spam, rose, bob];
  const accepted = sampleEvent('Q1', { data: { from: 'outside@example.org', to } });
  const delivered = [mary, bob].map((recipient) =>
    sampleEvent('Q1', { at: 2000, event: 'delivered', recipient }),
  );
  await world.store.appendEvents([accepted, ...delivered]);
  expect(await world.store.trace({ address: news, limit: 9 })).not.toEqual([]);
  await world.store.eraseAccount(mary);
  const events = await trace(world.store, 'Q1');
  expect(events[0]?.data.to).toEqual([ann, list, rose, bob]);
  expect(recipientsOf(events)).toEqual([undefined, bob]);
  for (const address of [news, spam]) expect(await world.store.trace({ address, limit: 9 })).toEqual([]);
  expect(await world.store.trace({ address: bob, limit: 9 })).toHaveLength(2);
});

test('eraseAccount() erases reports of abuse that name the account, and no others', async () => {
  await using world = await temporaryStore();
  const [a, tagged, umlaut] = ['a@example.com', 'a-b@example.com', 'ärger@example.com'];
  await world.store.addAccounts([a, tagged, umlaut].map(account));
  const about = { sender: '', organization: '', domain: '', receivedAt: 1, beginsAt: 1, endsAt: 2, rows: [] };
  const reports = [
    { kind: 'abuse', queueId: 'Q1', data: { report: { originalMailFrom: 'A@Example.com' } } },
    { kind: 'unreadable', queueId: 'Q2', data: { subject: 'complaint about a@example.com' } },
    { kind: 'abuse', queueId: 'Q3', data: { report: { originalMailFrom: 'aa@example.com' } } },
    { kind: 'abuse', queueId: 'Q4', data: { report: { originalMailFrom: 'a+shop@example.com' } } },
    { kind: 'abuse', queueId: 'Q5', data: { report: { originalMailFrom: tagged } } },
    { kind: 'abuse', queueId: 'Q6', data: { report: { originalMailFrom: 'Ärger@Example.com' } } },
  ] as const;
  for (const report of reports)
    await world.store.settleReportMail({ ...about, ...report, reportId: report.queueId });
  await world.store.eraseAccount(a);
  await world.store.eraseAccount(umlaut);
  const left = async (kind: 'abuse' | 'unreadable') =>
    (await world.store.listReports({ kind, endsAfter: 0, limit: 9 })).reports.map(({ queueId }) => queueId);
  expect([await left('abuse'), await left('unreadable')]).toEqual([['Q3', 'Q5'], []]);
});
