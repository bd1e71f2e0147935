import { describe, expect, test } from 'vitest';
import { impatientClock } from '../../testing/fake-clock.ts';
import { TestReception } from '../../testing/reception.ts';
import { playEveryWay } from '../../testing/transcript.ts';
import { readTranscripts } from '../../testing/transcript-format.ts';
import { createLog } from '../../util/log.ts';
import { Bans, banPolicy } from './bans.ts';
import { type ConductLimits, Conducts, freeRecipients, maxRemembered, mostDelayMs } from './conduct.ts';
import { maxDelayed } from './tarpit.ts';

const usual: ConductLimits = { authFailures: 10, badRecipients: 50, badCommands: 100, networkFactor: 5 };

const nowhere = {
  listMemos: async () => [],
  writeMemos: async () => undefined,
  removeMemos: async () => 0,
};

/** Time passes by `pass()` alone: nobody waits for late answers, but it is noted how late they would have been. */
async function stage(changes: Partial<ConductLimits> = {}, exempt = (_: string) => false) {
  const { clock: impatient, delays } = impatientClock();
  let now = Date.UTC(2026, 0, 5);
  const clock = { ...impatient, now: () => now };
  const policy = banPolicy({ banMinutes: 15, banMaxHours: 24 });
  const bans = await Bans.read({ store: nowhere, clock, log: createLog('silent'), policy });
  delays.length = 0;
  const conducts = new Conducts({ limits: () => ({ ...usual, ...changes }), bans, clock, exempt });
  const of = (address: string, proxy?: { address: string; speaksFor: 'client' | 'nobody' }) =>
    conducts.of({ address, port: 1, localAddress: '192.0.2.25', localPort: 25, ...(proxy && { proxy }) });
  const fail = (address: string, password: string) =>
    of(address)?.failedLogin({ user: 'bob@example.com', password, leastMs: 1000 });
  const pass = (ms: number) => {
    now += ms;
  };
  return { bans, clock, conducts, delays, of, fail, pass };
}

describe('failed logins', () => {
  test('of one client are answered later and later, and in the end it is banned', async () => {
    const { fail, delays, bans } = await stage({ authFailures: 4 });
    for (let guess = 1; guess <= 4; guess++)
      expect(await fail('192.0.2.1', `${guess}`)).toEqual({ isRepeated: false });
    expect(await fail('192.0.2.1', '5')).toEqual({
      isRepeated: false,
      leave: expect.stringMatching(/^192\.0\.2\.1 may not connect for another 15 minutes: too many failed/),
    });
    expect(delays.filter((delay) => delay % 1000 === 0)).toEqual(
      expect.arrayContaining([1000, 2000, 3000, 4000, 5000]),
    );
    expect(bans.list()).toMatchObject([{ network: '192.0.2.1', times: 1 }]);
  });

  test('from many clients of one network ban the network; a good login in between takes nothing back', async () => {
    const { fail, bans } = await stage({ authFailures: 4, networkFactor: 2 });
    for (let host = 1; host <= 9; host++) await fail(`192.0.2.${host}`, `${host}`);
    expect(bans.list()).toMatchObject([{ network: '192.0.2.0/24' }]);
    expect(bans.find('192.0.2.200')).toBeDefined();
    expect(bans.find('192.0.3.1')).toBeUndefined();
  });

  test('of one IPv6 customer are counted together, whatever addresses it takes', async () => {
    const { fail, bans } = await stage({ authFailures: 4 });
    for (let host = 1; host <= 5; host++) await fail(`2001:db8:0:1::${host}`, `${host}`);
    expect(bans.list()).toMatchObject([{ network: '2001:db8:0:1::/64' }]);
  });

  test('with one and the same old password, every minute of a day, get nobody banned', async () => {
    const { fail, bans, pass } = await stage();
    for (let minute = 0; minute < 24 * 60; minute++, pass(60_000)) await fail('192.0.2.1', 'the old one');
    expect(bans.list()).toEqual([]);
  });

  test('leak away within an hour', async () => {
    const { fail, bans, pass } = await stage();
    for (let guess = 0; guess < 100; guess++, pass(7 * 60_000)) await fail('192.0.2.1', `${guess}`);
    expect(bans.list()).toEqual([]);
  });

  test('wait at most half a minute', async () => {
    const { fail, delays } = await stage({ authFailures: 1000 });
    for (let guess = 0; guess < 100; guess++) await fail('192.0.2.1', `${guess}`);
    expect(Math.max(...delays)).toBe(mostDelayMs);
  });
});

test('recipients that nobody has: a few are free, then they are answered later, then it is enough', async () => {
  const { of, delays, bans } = await stage({ badRecipients: 8 });
  for (let count = 0; count < 8; count++) expect(await of('192.0.2.1')?.badRecipient()).toEqual({});
  expect(delays).toEqual([500, 1000, 1500]);
  expect(8 - delays.length).toBe(freeRecipients);
  expect(await of('192.0.2.1')?.badRecipient()).toMatchObject({
    leave: expect.stringMatching(/nobody has here/),
  });
  expect(bans.find('192.0.2.1')).toBeDefined();
});

test('of a mail server they count a quarter: its users make mistakes, too', async () => {
  const { of, bans } = await stage({ badRecipients: 8 });
  of('192.0.2.1')?.broughtMail();
  for (let count = 0; count < 32; count++) expect(await of('192.0.2.1')?.badRecipient()).toEqual({});
  expect(await of('192.0.2.1')?.badRecipient()).toHaveProperty('leave');
  expect(bans.list()).toHaveLength(1);
});

test('those of reports count a quarter: an innocent server brings them to whoever was forged', async () => {
  const { of, bans } = await stage({ badRecipients: 8 });
  const report = { isReport: true };
  for (let count = 0; count < 32; count++) expect(await of('192.0.2.1')?.badRecipient(report)).toEqual({});
  expect(await of('192.0.2.1')?.badRecipient(report)).toHaveProperty('leave');
  expect(bans.list()).toHaveLength(1);
});

test('commands that are none are counted over sessions', async () => {
  const { of, bans } = await stage({ badCommands: 10 });
  for (let session = 0; session < 3; session++) of('192.0.2.1')?.badCommands(4);
  expect(bans.list()).toMatchObject([{ network: '192.0.2.1', reason: expect.stringMatching(/commands/) }]);
});

test('a limit of 0 is none', async () => {
  const { fail, of, bans } = await stage({ authFailures: 0, badRecipients: 0, badCommands: 0 });
  for (let count = 0; count < 1000; count++) {
    await fail('192.0.2.1', `${count}`);
    await of('192.0.2.1')?.badRecipient();
    of('192.0.2.1')?.badCommands(50);
  }
  expect(bans.list()).toEqual([]);
});

test('of whom is trusted nothing is counted, nor of a proxy that speaks for nobody', async () => {
  const { of } = await stage({}, (address) => address.startsWith('10.'));
  expect(of('10.0.0.1')).toBeUndefined();
  expect(of('192.0.2.1', { address: '192.0.2.1', speaksFor: 'nobody' })).toBeUndefined();
  expect(of('192.0.2.1', { address: '10.0.0.1', speaksFor: 'client' })).toBeDefined();
});

test('other sessions of who was banned are to end too', async () => {
  const { of, bans } = await stage();
  const open = of('192.0.2.1');
  expect(open?.leave()).toBeUndefined();
  bans.ban('192.0.2.1', 'x');
  expect(open?.leave()).toMatch(/^192\.0\.2\.1 may not connect/);
});

test('who is lifted begins anew', async () => {
  const { fail, bans, conducts } = await stage({ authFailures: 4 });
  for (let guess = 0; guess < 5; guess++) await fail('192.0.2.1', `${guess}`);
  await bans.lift('192.0.2.1', 'root');
  conducts.forget('192.0.2.1');
  await fail('192.0.2.1', 'one more');
  expect(bans.list()).toEqual([]);
});

test('only so many answers are late at once; whoever comes then is sent away', async () => {
  const { bans, conducts: _, ...rest } = await stage({ authFailures: 1000, networkFactor: 1000 });
  const waiting: (() => void)[] = [];
  const clock = {
    now: rest.clock.now,
    after(_ms: number, action: () => void) {
      waiting.push(action);
      return () => undefined;
    },
  };
  const conducts = new Conducts({
    limits: () => ({ ...usual, authFailures: 1000, networkFactor: 1000 }),
    bans,
    clock,
    exempt: () => false,
  });
  const fail = (index: number) =>
    conducts
      .of({ address: `10.0.${index >> 8}.${index & 255}`, port: 1, localAddress: '::', localPort: 25 })
      ?.failedLogin({ user: 'bob', password: `${index}`, leastMs: 1000 });
  const late = Array.from({ length: maxDelayed }, (_, index) => fail(index));
  expect(conducts.delayed).toBe(maxDelayed);
  expect(await fail(maxDelayed)).toEqual({ isRepeated: false, leave: 'too many mistakes; try again later' });
  for (const wake of waiting.splice(0)) wake();
  await Promise.all(late);
  expect(conducts.delayed).toBe(0);
});

test('a hundred thousand clients fill no more memory than there is for them', {
  timeout: 60_000,
}, async () => {
  const { of, conducts } = await stage();
  for (let index = 0; index < 100_000; index++)
    of(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)?.badCommands(1);
  expect(conducts.remembered).toBe(maxRemembered);
});

describe('transcripts', () => {
  for (const transcript of readTranscripts(new URL('../transcripts/abuse', import.meta.url)))
    test(transcript.title, () =>
      playEveryWay(transcript, async () => {
        const { of } = await stage({ authFailures: 1, badRecipients: 2 });
        const via = transcript.title.includes('AUTH') ? 'submission' : 'smtp';
        const conduct = of('192.0.2.1');
        return new TestReception({ via, accounts: ['bob@example.com'], conduct }).serve;
      }),
    );
});
