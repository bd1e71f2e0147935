import { expect, test } from 'vitest';
import { Admission } from '../../net/admission.ts';
import type { Peer } from '../../net/machine.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { createLog } from '../../util/log.ts';
import { Bans, banPolicy } from './bans.ts';
import { Gate } from './gate.ts';

const limits = { sessions: 100, sessionsPerAddress: 2, connectionsPerMinute: 5, networkFactor: 2 };

async function stage() {
  const clock = fakeClock();
  const lines: { client: string; why: string }[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  const store = {
    listMemos: async () => [],
    writeMemos: async () => undefined,
    removeMemos: async () => 0,
  };
  const policy = banPolicy({ banMinutes: 15, banMaxHours: 24 });
  const bans = await Bans.read({ store, clock, log: createLog('silent'), policy });
  const admission = new Admission(() => ({ ...limits, now: clock.now }));
  const trusted = (address: string) => address === '10.0.0.1';
  const exempt = (address: string) => trusted(address) || address === '127.0.0.1';
  const gate = new Gate({ admission, bans, clock, log, exempt, trusted });
  const come = (address: string, proxy?: Peer['proxy']) =>
    gate.enter({ address, port: 1, localAddress: '192.0.2.25', localPort: 25, ...(proxy && { proxy }) });
  return { bans, gate, come, lines, clock };
}

test('who is banned hears why and until when, and is counted', async () => {
  const { bans, come, gate } = await stage();
  bans.ban('192.0.2.0/24', 'too many failed logins');
  expect(come('192.0.2.9').words).toBe(
    '192.0.2.0/24 may not connect for another 15 minutes: too many failed logins; ask the postmaster if that is wrong',
  );
  expect(come('192.0.3.9').words).toBeUndefined();
  expect([gate.counts.banned, bans.list()[0]?.refused]).toEqual([1, 1]);
});

test('who has too many sessions, or comes too often, hears what to do', async () => {
  const { come, gate } = await stage();
  for (let count = 0; count < 2; count++) expect(come('192.0.2.1').words).toBeUndefined();
  expect(come('192.0.2.1').words).toBe(
    'too many connections at once from 192.0.2.1; close some, or try again later',
  );
  for (let count = 0; count < 3; count++) come('192.0.2.1');
  expect(come('192.0.2.1').words).toBe(
    '192.0.2.1 connects too often; try again in a minute, with fewer connections',
  );
  expect(gate.counts).toMatchObject({ 'sessions of the client': 3, 'rate of the client': 2 });
});

test('of whom is trusted, and of a proxy that names nobody, no more is counted than that they are there', async () => {
  const { bans, come } = await stage();
  await bans.add({ network: '10.0.0.0/24', by: 'root' });
  for (let count = 0; count < 20; count++) {
    expect(come('10.0.0.1').words).toBeUndefined();
    expect(come('10.0.0.2', { address: '10.0.0.2', speaksFor: 'nobody' }).words).toBeUndefined();
  }
  expect(come('10.0.0.2', { address: '10.0.0.9', speaksFor: 'client' }).words).toMatch(/may not connect/);
});

test('of whom is exempt, only the sessions are counted', async () => {
  const { bans, come } = await stage();
  await bans.add({ network: '127.0.0.1', by: 'root' });
  for (let count = 0; count < 2; count++) expect(come('127.0.0.1').words).toBeUndefined();
  for (let count = 0; count < 20; count++) expect(come('127.0.0.1').words).toMatch(/at once/);
});

test('a flood writes one line a minute into the log for each client', async () => {
  const { bans, come, lines, clock } = await stage();
  bans.ban('192.0.2.1', 'x');
  for (let count = 0; count < 1000; count++) come('192.0.2.1');
  expect(lines).toMatchObject([{ client: '192.0.2.1', why: 'banned' }]);
  clock.advance(2 * 60_000);
  come('192.0.2.1');
  expect(lines).toHaveLength(2);
});
