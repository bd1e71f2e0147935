import { describe, expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { memosInMemory } from '../../testing/memos.ts';
import { policyOf } from '../../testing/policies.ts';
import { TestReception } from '../../testing/reception.ts';
import { createLog } from '../../util/log.ts';
import { Greylist, tripletOf } from './greylist.ts';

const bob = 'bob@example.com';
const eve = 'eve@example.com';
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const config = { minutes: 5, windowHours: 24, days: 35, passes: 3 };

const records: ZoneData = { 'proven.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] } };

async function open(clock: FakeClock = fakeClock(), store = memosInMemory()) {
  const greylist = await Greylist.read({ store, clock, log: createLog('silent'), config });
  /** One attempt, as a whole; resolves to the reply to RCPT or to the message. */
  const attempt = async ({
    from = 'a@strange.example',
    to = bob,
    client = '192.0.2.1',
    helo = 'mx.strange.example',
  } = {}) => {
    const reception = new TestReception({
      via: 'smtp',
      accounts: [bob, eve],
      policies: [policyOf([['always', 'greylist']])],
      ...{ records, greylist, clock, clientAddress: client },
    });
    const [, , , early = ''] = await reception.say(`EHLO ${helo}`, `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`);
    if (!early.startsWith('250')) return early;
    return reception.send({ from, to, helo, content: `From: ${from || 'a@b.example'}\r\n\r\nx\r\n` });
  };
  return { greylist, clock, store, attempt };
}

describe('M7: greylisting, as receiver', () => {
  test('a stranger is asked to come again, and let in when it does', async () => {
    const { attempt, clock } = await open();
    expect(await attempt()).toBe('451 4.7.1 Greylisted: please try again in 5 minutes');
    clock.advance(2 * minute);
    expect(await attempt()).toBe('451 4.7.1 Greylisted: please try again in 3 minutes');
    clock.advance(3 * minute);
    expect(await attempt()).toMatch(/^250 2\.0\.0 Queued/);
    expect(await attempt()).toMatch(/^250/);
  });

  test('it may come from a neighbour, and with another local part', async () => {
    const { attempt, clock } = await open();
    await attempt({ client: '192.0.2.1', from: 'bounce-1@Strange.example' });
    clock.advance(5 * minute);
    expect(await attempt({ client: '192.0.2.77', from: 'bounce-2@strange.EXAMPLE' })).toMatch(/^250/);
  });

  test('of IPv6, the neighbours are a /64', async () => {
    const { attempt, clock } = await open();
    await attempt({ client: '2001:db8:0:1::1' });
    clock.advance(5 * minute);
    expect(await attempt({ client: '2001:db8:0:2::1' })).toMatch(/^451/);
    expect(await attempt({ client: '2001:db8:0:1::2' })).toMatch(/^250/);
  });

  test('another recipient waits for itself', async () => {
    const { attempt, clock } = await open();
    await attempt();
    clock.advance(5 * minute);
    expect(await attempt({ to: eve })).toMatch(/^451/);
    expect(await attempt()).toMatch(/^250/);
  });

  test('the null sender is known by the domain of its host', async () => {
    const { attempt, clock } = await open();
    expect(await attempt({ from: '', helo: 'out1.mail.example' })).toMatch(/^451/);
    clock.advance(5 * minute);
    expect(await attempt({ from: '', helo: 'out1.other.example' })).toMatch(/^451/);
    expect(await attempt({ from: '', helo: 'out2.mail.example' })).toMatch(/^250/);
  });

  test('a restart forgets what it has learned in the last seconds at most', async () => {
    const { attempt, clock, store } = await open();
    await attempt();
    clock.advance(6_000);
    const again = await open(clock, store);
    clock.advance(5 * minute);
    expect(await again.attempt()).toMatch(/^250/);
  });

  test('the dossier says what it has waited for', async () => {
    const { greylist, clock } = await open();
    const triplet = tripletOf({ address: '192.0.2.1', helo: 'c', reversePath: 'a@strange.example' }, bob);
    greylist.refused(triplet);
    expect(greylist.find('192.0.2.1', triplet)).toEqual({
      passed: false,
      why: 'it came again too soon, after 0 s',
      waitSeconds: 300,
    });
    clock.advance(7 * minute);
    expect(greylist.find('192.0.2.1', triplet)).toEqual({ passed: true, why: 'it came again after 420 s' });
  });
});

describe('not-13: greylisting goes by more than the address, ends, and learns whom to let in', () => {
  test('never by the address alone', async () => {
    const { attempt, clock } = await open();
    await attempt();
    clock.advance(5 * minute);
    expect(await attempt()).toMatch(/^250/);
    expect(await attempt({ from: 'a@another.example' })).toMatch(/^451/);
  });

  test('who comes again too late has to begin anew', async () => {
    const { attempt, clock } = await open();
    await attempt();
    clock.advance(25 * hour);
    expect(await attempt()).toMatch(/^451 .*5 minutes/);
  });

  test('what has passed is forgotten when it has not come for long', async () => {
    const { attempt, clock, greylist } = await open();
    await attempt();
    clock.advance(5 * minute);
    await attempt();
    clock.advance(34 * day);
    expect(await attempt()).toMatch(/^250/);
    clock.advance(34 * day);
    expect(await attempt()).toMatch(/^250/);
    clock.advance(36 * day);
    expect(await attempt()).toMatch(/^451/);
    expect(greylist.list()).toHaveLength(1);
  });

  test('a network from which a domain has passed often enough waits no more', async () => {
    const { attempt, clock } = await open();
    const recipients = [bob, eve, 'postmaster@example.com'];
    for (const to of recipients) await attempt({ to });
    clock.advance(5 * minute);
    for (const to of recipients) expect(await attempt({ to })).toMatch(/^250/);
    expect(await attempt({ to: 'abuse@example.com' })).toMatch(/^250/);
    expect(await attempt({ to: 'abuse@example.com', client: '198.51.100.1' })).toMatch(/^451/);
    expect(await attempt({ to: 'abuse@example.com', from: 'a@another.example' })).toMatch(/^451/);
  });

  test("mail that is proven to be the domain's lets its network in at once", async () => {
    const { attempt, clock } = await open();
    const proven = { from: 'a@proven.example' };
    expect(await attempt(proven)).toMatch(/^451/);
    clock.advance(5 * minute);
    expect(await attempt(proven)).toMatch(/^250/);
    expect(await attempt({ ...proven, to: eve })).toMatch(/^250/);
    expect(await attempt({ ...proven, to: eve, client: '198.51.100.1' })).toMatch(/^451/);
  });

  test('an operator lets in networks and domains, and forgets them', async () => {
    const { attempt, greylist } = await open();
    greylist.allow('198.51.100.0/24', { by: 'ann' });
    greylist.allow('friend.example', { by: 'ann' });
    expect(await attempt({ client: '198.51.100.7' })).toMatch(/^250/);
    expect(await attempt({ from: 'a@friend.example' })).toMatch(/^250/);
    expect(greylist.remove('198.51.100.0/24')).toBe(1);
    expect(await attempt({ client: '198.51.100.7', to: eve })).toMatch(/^451/);
  });

  test('who had to come again with mail for an address, or a subaddress of it, is forgotten, and nobody else', async () => {
    const { greylist, store, attempt } = await open();
    for (const to of [bob, 'BOB+news@example.com', eve]) await attempt({ to });
    await greylist.flush();
    greylist.forgetRecipient({ localPart: 'bob', domain: 'example.com' });
    await greylist.flush();
    const left = await store.listMemos('greylist');
    expect(left.map(({ key }) => key)).toEqual([expect.stringMatching(/ eve@example\.com$/)]);
  });

  test('what is remembered is bounded, and a flood of strangers does not drive out who is known', async () => {
    const { greylist, clock } = await open();
    const known = tripletOf({ address: '192.0.2.1', helo: 'c', reversePath: 'a@proven.example' }, bob);
    greylist.accepted(known, true);
    for (let index = 0; index < 60_000; index++)
      greylist.refused({
        network: `10.${index >> 8}.${index & 255}.0/24`,
        domain: 'x.example',
        recipient: bob,
      });
    expect(greylist.list()).toHaveLength(50_001);
    clock.advance(minute);
    expect(greylist.find('192.0.2.1', known).passed).toBe(true);
  });
});
