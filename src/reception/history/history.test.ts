import { describe, expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { reputationOf } from '../../policy/conditions/history.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { memosInMemory } from '../../testing/memos.ts';
import { policyOf, type Row } from '../../testing/policies.ts';
import { TestReception } from '../../testing/reception.ts';
import { createLog } from '../../util/log.ts';
import { Greylist } from '../greylist/greylist.ts';
import { halfLifeMs, maxSenders, SenderHistory } from './history.ts';

const bob = 'bob@example.com';
const eve = 'eve@example.com';
const hour = 3600_000;
const day = 24 * hour;

const records: ZoneData = {
  'friend.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 ip4:203.0.113.0/24 -all'] },
  'spam.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
};

async function open({
  rows = [] as readonly Row[],
  clock = fakeClock() as FakeClock,
  store = memosInMemory(),
} = {}) {
  const log = createLog('silent');
  const history = await SenderHistory.read({ store, clock, log });
  const config = { minutes: 5, windowHours: 24, days: 35, passes: 3 };
  const greylist = await Greylist.read({ store, clock, log, config });
  const receive = async ({
    from = 'a@friend.example',
    to = bob,
    client = '192.0.2.1',
    trusted = false,
  } = {}) => {
    const aliases = { 'all@example.com': [bob, 'far@example.org'] };
    const setup = {
      via: 'smtp',
      accounts: [bob, eve],
      aliases,
      policies: [policyOf(rows)],
      records,
      clock,
    } as const;
    const reception = new TestReception({
      ...{ ...setup, history, greylist, trusted },
      clientAddress: client,
    });
    const [, , , early = ''] = await reception.say(
      'EHLO c.example',
      `MAIL FROM:<${from}>`,
      `RCPT TO:<${to}>`,
    );
    const reply = early.startsWith('250')
      ? await reception.send({ from, to, helo: 'c.example', content: `From: ${from}\r\n\r\nx\r\n` })
      : early;
    const events = reception.accepted.flatMap((entry) => entry.events);
    const rule = String(events.find(({ event }) => event === 'judged')?.data.rule ?? '');
    return { reply, rule };
  };
  return { history, receive, clock, store };
}

const times = async (count: number, work: () => Promise<unknown>) => {
  for (let index = 0; index < count; index++) await work();
};

describe('SenderHistory', () => {
  test('has our own people know a sender, and nobody to whom their mail only goes on', async () => {
    const { history, receive } = await open();
    expect((await receive({ to: 'all@example.com' })).reply).toMatch(/^250/);
    const known = history.acquaintancesOf('a@friend.example').map(({ recipient }) => recipient);
    expect(known).toEqual([bob]);
  });

  test('holds nothing that programs on trusted networks do against their network', async () => {
    const { history, receive } = await open();
    const nobody = { to: 'nobody@example.com', trusted: true };
    expect((await receive(nobody)).reply).toMatch(/^550 5\.1\.1/);
    expect(history.of('network', '192.0.2.0/24')).toMatchObject({ unknown: 0 });
    await receive({ ...nobody, trusted: false });
    expect(history.of('network', '192.0.2.0/24')).toMatchObject({ unknown: 1 });
  });

  test('counts what became of the mail of a network, and of a domain that is proven', async () => {
    const { history, receive } = await open({ rows: [['spf:none', 'junk']] });
    await receive();
    await receive({ from: 'x@unproven.example' });
    await receive({ to: 'nobody@example.com' });
    expect(history.of('network', '192.0.2.0/24')).toMatchObject({
      accepted: 1,
      junk: 1,
      unknown: 1,
      lastHour: 3,
    });
    expect(history.of('domain', 'friend.example')).toMatchObject({ accepted: 1, junk: 0 });
    expect(history.of('domain', 'unproven.example')).toMatchObject({ accepted: 0, junk: 0 });
  });

  test('outlives a restart, fades, and is forgotten', async () => {
    const { history, clock, store } = await open();
    for (let index = 0; index < 8; index++) history.note('domain', 'friend.example', 'accepted');
    await history.flush();
    const again = await open({ clock, store });
    expect(again.history.of('domain', 'friend.example').accepted).toBe(8);
    clock.advance(halfLifeMs);
    expect(again.history.of('domain', 'friend.example').accepted).toBe(4);
    clock.advance(100 * day);
    expect(again.history.of('domain', 'friend.example')).toMatchObject({ accepted: 0 });
    expect(again.history.list()).toEqual([]);
  });

  test('is bounded, and writes some seconds of it in one transaction', async () => {
    const { history, store } = await open();
    for (let index = 0; index < maxSenders + 500; index++) history.note('network', `n${index}`, 'refused');
    expect(history.list()).toHaveLength(maxSenders);
    await history.flush();
    expect(store.writes).toBe(maxSenders / 1000);
  });

  test('knows how much came within an hour', async () => {
    const { history, clock } = await open();
    for (let index = 0; index < 60; index++) history.note('network', 'n', 'accepted');
    expect(history.of('network', 'n').lastHour).toBe(60);
    clock.advance(90 * 60_000 - (clock.now() % hour));
    expect(history.of('network', 'n').lastHour).toBe(30);
    clock.advance(hour);
    expect(history.of('network', 'n').lastHour).toBe(0);
  });

  test.each([
    [{ accepted: 9 }, 'unknown'],
    [{ accepted: 10 }, 'good'],
    [{ accepted: 95, junk: 5 }, 'good'],
    [{ accepted: 90, junk: 10 }, 'unknown'],
    [{ accepted: 1, refused: 9 }, 'bad'],
    [{ unknown: 10 }, 'bad'],
    [{ accepted: 2, unknown: 9 }, 'unknown'],
  ] as const)('reputationOf(%j)', (counts, reputation) => {
    const history = { name: 'n', accepted: 0, junk: 0, refused: 0, unknown: 0, lastHour: 0, ...counts };
    expect(reputationOf(history)).toBe(reputation);
  });
});

describe('reputation', () => {
  test('a network that asks for nobody gets a bad one, and a domain that can prove itself is not answerable for it', async () => {
    const { receive } = await open({ rows: [['reputation:bad', 'reject']] });
    for (let index = 0; index < 12; index++) await receive();
    for (let index = 0; index < 300; index++) await receive({ to: `guess${index}@example.com` });
    expect((await receive({ from: 'x@stranger.example' })).reply).toMatch(/^550 .*another server/);
    expect((await receive()).reply).toMatch(/^250/);
  });

  test('what is refused for its reputation does not make that worse', async () => {
    const { history, receive } = await open({ rows: [['reputation:bad', 'reject']] });
    for (let index = 0; index < 10; index++) history.note('network', '192.0.2.0/24', 'refused');
    await times(5, () => receive({ from: 'x@stranger.example' }));
    expect(history.of('network', '192.0.2.0/24').refused).toBe(10);
  });

  test('a good one speaks for the sender', async () => {
    const { receive } = await open({
      rows: [
        ['reputation:good', 'accept'],
        ['always', 'score', 9],
      ],
    });
    expect((await receive()).rule).toMatch(/^Junk/);
    const good = await open({
      rows: [
        ['reputation:good', 'accept'],
        ['always', 'score', 9],
      ],
    });
    for (let index = 0; index < 10; index++) good.history.note('domain', 'friend.example', 'accepted');
    expect((await good.receive()).rule).toMatch(
      /^Accepted: of the mail of friend\.example so far 10 accepted, 0 junk/,
    );
  });
});

describe('rate', () => {
  test('refuses at RCPT what goes beyond it, until the hour is over', async () => {
    const { receive, clock } = await open({ rows: [['rate:5/hour', 'reject']] });
    await times(5, async () => expect((await receive()).reply).toMatch(/^250/));
    expect((await receive()).reply).toMatch(/^550 .*Send less, or later/);
    expect((await receive({ client: '198.51.100.1' })).reply).toMatch(/^250/);
    clock.advance(2 * hour);
    expect((await receive()).reply).toMatch(/^250/);
  });
});

describe('first-time-sender', () => {
  const rows: readonly Row[] = [['first-time-sender', 'score', 1]];

  test('holds for the first proven letter of an address, for each recipient', async () => {
    const { receive } = await open({ rows });
    expect((await receive()).rule).toMatch(/the recipient has had no mail of friend\.example before \(1\)/);
    expect((await receive()).rule).not.toMatch(/before/);
    expect((await receive({ from: 'b@friend.example' })).rule).toMatch(
      /knows others of friend\.example, and not b@/,
    );
    expect((await receive({ to: eve })).rule).toMatch(
      /no mail of friend\.example before, but others here have/,
    );
  });

  test.each([
    ['first-time-sender:domain', 'b@friend.example', bob, false],
    ['first-time-sender:domain', 'a@friend.example', eve, true],
    ['first-time-sender:server', 'b@friend.example', eve, false],
    ['first-time-sender:server', 'b@stranger.example', eve, true],
  ] as const)('%s: %s to %s', async (when, from, to, holds) => {
    const { receive } = await open({ rows: [[when, 'score', 1]] });
    await receive();
    const { rule } = await receive({ from, to });
    expect(rule.includes('the score is 1')).toBe(holds);
  });

  test('does not hold for whom the recipient has written to', async () => {
    const { receive, history } = await open({ rows });
    history.wroteTo(bob, ['a@friend.example']);
    expect((await receive()).rule).toMatch(/^Accepted: (?!the score)/);
    expect((await receive({ to: eve })).rule).toMatch(/the score is 1/);
  });

  test('holds always where nothing proves whom it is from', async () => {
    const { receive } = await open({ rows });
    const forged = { from: 'a@friend.example', client: '198.51.100.1' };
    await receive();
    await receive(forged);
    expect((await receive(forged)).rule).toMatch(/nothing proves whom it is from/);
  });
});

describe('M7: greylisting learns from the history', () => {
  test('a domain whose proven mail is welcome need not wait where its SPF record names the client', async () => {
    const { receive, history } = await open({ rows: [['always', 'greylist']] });
    for (let index = 0; index < 10; index++) history.note('domain', 'friend.example', 'accepted');
    expect((await receive({ client: '203.0.113.9' })).reply).toMatch(/^250/);
    expect((await receive({ client: '198.51.100.9' })).reply).toMatch(/^451/);
    expect((await receive({ client: '203.0.113.9', from: 'a@spam.example' })).reply).toMatch(/^451/);
  });
});
