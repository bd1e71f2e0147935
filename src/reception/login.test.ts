import { expect, test } from 'vitest';
import { impatientClock } from '../testing/fake-clock.ts';
import { createLog } from '../util/log.ts';
import type { Conduct } from './abuse/conduct.ts';
import { loginFailureDelayMs, logins, maxLoginFailures, maxPendingChecks } from './login.ts';

const bob = 'bob@example.com';
const right = { authorizationId: '', user: bob, password: 'secret' };
const wrong = { ...right, password: 'guess' };
const check = async (account: string, password: string) => (password === 'secret' ? { account } : undefined);

function door(authenticate = check) {
  const { clock, delays } = impatientClock();
  return { open: logins({ authenticate, clock, log: createLog('silent') }), delays };
}

test('each wrong password of a session waits longer for its answer, and the last one ends it', async () => {
  const { open, delays } = door();
  const login = open('192.0.2.1');
  const outcomes = [await login(wrong), await login(wrong), await login(wrong)];
  expect(outcomes).toEqual([false, false, true].map((last) => ({ kind: 'wrong', last })));
  expect(outcomes).toHaveLength(maxLoginFailures);
  expect(delays).toEqual([1, 2, 3].map((factor) => factor * loginFailureDelayMs));
});

test('a right password waits for nothing', async () => {
  const { open, delays } = door();
  expect(await open('192.0.2.1')(right)).toEqual({ kind: 'welcome', account: bob });
  expect(delays).toEqual([]);
});

test.each([
  ['of its own', bob, 'welcome'],
  ['of its own in capitals', 'Bob@EXAMPLE.com', 'welcome'],
  ['of another', 'eve@example.com', 'wrong'],
  ['that is no address', 'bob', 'wrong'],
])('an account may log in with an authorization identity %s: %s → %s', async (_, authorizationId, kind) => {
  expect(await door().open('192.0.2.1')({ ...right, authorizationId })).toMatchObject({ kind });
});

test('a client with too many checks under way is turned away, and no other is', async () => {
  const checked = Promise.withResolvers<{ account: string } | undefined>();
  const { open } = door(() => checked.promise);
  const pending = Array.from({ length: maxPendingChecks }, () => open('192.0.2.1')(right));
  expect(await open('192.0.2.1')(right)).toEqual({ kind: 'busy' });
  const other = open('192.0.2.2')(right);
  checked.resolve({ account: bob });
  for (const outcome of await Promise.all([...pending, other])) expect(outcome.kind).toBe('welcome');
  expect(await open('192.0.2.1')(right)).toMatchObject({ kind: 'welcome' });
});

test('a check that fails for a fault of ours leaves its place, and is told', async () => {
  const { open } = door(() => Promise.reject(new Error('no store')));
  for (let times = 0; times <= maxPendingChecks; times++)
    await expect(open('192.0.2.1')(right)).rejects.toThrow('no store');
});

const attentive = (found: { leave?: string; isRepeated: boolean }, banned?: string): Conduct => ({
  leave: () => banned,
  failedLogin: async () => found,
  badRecipient: async () => ({}),
  badCommands: () => undefined,
  broughtMail: () => undefined,
});

test('who is banned by a wrong password hears so at once, and a right one helps no more', async () => {
  const { clock } = impatientClock();
  const open = logins({ authenticate: check, clock, log: createLog('silent') });
  const one = open('192.0.2.1', attentive({ leave: 'go away', isRepeated: false }));
  expect(await one(wrong)).toEqual({ kind: 'wrong', last: true, why: 'go away' });
  const other = open('192.0.2.1', attentive({ isRepeated: false }, 'go away'));
  expect(await other(right)).toEqual({ kind: 'wrong', last: true, why: 'go away' });
});

test('an account that is guessed at is checked for nobody who is not known to it, and learns who is', async () => {
  const asked: string[] = [];
  const places = {
    failed: (user: string) => void asked.push(`failed ${user}`),
    succeeded: (account: string, address: string) => void asked.push(`${account} from ${address}`),
    isBesieged: async (_: string, address: string) => address === '203.0.113.9',
  };
  const { clock } = impatientClock();
  const open = logins({ authenticate: check, places, clock, log: createLog('silent') });
  const conduct = attentive({ isRepeated: false });
  expect(await open('203.0.113.9', conduct)(right)).toEqual({
    kind: 'busy',
    why: expect.stringMatching(/this account/),
  });
  expect(await open('192.0.2.1', conduct)(right)).toMatchObject({ kind: 'welcome' });
  await open('192.0.2.1', conduct)(wrong);
  await open('192.0.2.1', attentive({ isRepeated: true }))(wrong);
  expect(asked).toEqual([`${bob} from 192.0.2.1`, `failed ${bob}`]);
});

const begins = { mechanism: 'X', message: bob, begins: true };

/** Asks `bob` for the answer, once. */
const asking = () => ({
  respond: async (message: string) =>
    message === bob
      ? ({ kind: 'challenge', text: 'and?' } as const)
      : ({ kind: message === 'right' ? 'proven' : 'wrong', user: bob, authorizationId: '' } as const),
});

test('the messages of a mechanism go to one exchange, and each exchange has one answer', async () => {
  const { clock } = impatientClock();
  const mechanisms = new Map([['X', asking]]);
  const login = logins({ authenticate: check, mechanisms, clock, log: createLog('silent') })('192.0.2.1');
  const answer = (message: string) => login({ mechanism: 'X', message, begins: false });
  expect(await login(begins)).toEqual({ kind: 'challenge', text: 'and?' });
  expect(await answer('right')).toEqual({ kind: 'welcome', account: bob });
  expect(await answer('right')).toMatchObject({ kind: 'malformed' });
  await login(begins);
  expect(await answer('guess')).toEqual({ kind: 'wrong', last: false });
  expect(await answer('right')).toMatchObject({ kind: 'malformed' });
  expect(await login({ ...begins, mechanism: 'Y' })).toMatchObject({ kind: 'malformed' });
});

test('what has failed counts once, be the exchange gone on with or cancelled', async () => {
  const { clock, delays } = impatientClock();
  const refusing = () => {
    let isTold = false;
    return {
      respond: async () => {
        if (isTold) return { kind: 'wrong', user: bob } as const;
        isTold = true;
        return { kind: 'challenge', text: 'invalid_token', user: bob, hasFailed: true } as const;
      },
    };
  };
  const mechanisms = new Map([['X', refusing]]);
  const login = logins({ authenticate: check, mechanisms, clock, log: createLog('silent') })('192.0.2.1');
  expect(await login(begins)).toEqual({ kind: 'challenge', text: 'invalid_token' });
  expect(await login({ ...begins, begins: false })).toEqual({ kind: 'wrong', last: false });
  expect(delays).toEqual([loginFailureDelayMs]);
  expect(await login(begins)).toMatchObject({ kind: 'challenge' });
  expect(await login(begins)).toEqual({ kind: 'wrong', last: true });
  expect(delays).toEqual([1, 2, 3].map((factor) => factor * loginFailureDelayMs));
});

test.each(['right', 'guess'])(
  'of an account that is guessed at, nobody learns whether this was %s',
  async (message) => {
    const { clock } = impatientClock();
    const places = {
      failed: () => {},
      succeeded: () => {},
      isBesieged: async (user: string) => user === bob,
    };
    const conduct = { leave: () => undefined, failedLogin: async () => ({ isRepeated: false }) };
    const parts = { authenticate: check, mechanisms: new Map([['X', asking]]), places, clock };
    const login = logins({ ...parts, log: createLog('silent') })('192.0.2.1', {
      ...conduct,
      badRecipient: async () => ({}),
      badCommands: () => {},
      broughtMail: () => {},
    });
    await login(begins);
    expect(await login({ mechanism: 'X', message, begins: false })).toMatchObject({ kind: 'busy' });
  },
);
