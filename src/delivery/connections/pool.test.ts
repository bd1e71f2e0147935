import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { socketDialler } from '../../net/conversation.ts';
import { ConversationError, type Dial } from '../../smtp/conversation.ts';
import { type ScriptedPeer, scriptedPeer } from '../../testing/scripted-peer.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { headStartMs } from './address-race.ts';
import { ConnectionPool, defaultPoolLimits, type Loan, type PoolLimits } from './pool.ts';

const dial = socketDialler({ clock: systemClock });
const hello = 'S: 220 mx\nC: EHLO mx.example.com\nS: 250 mx';
const politeScript = `${hello}\nC: QUIT\nS: 221 bye`;

/** A clock whose hands the test turns. */
class HandClock implements Clock {
  #now = 0;
  #timers = new Map<() => void, number>();
  now = () => this.#now;
  after(delayMs: number, action: () => void): () => void {
    this.#timers.set(action, this.#now + delayMs);
    return () => this.#timers.delete(action);
  }
  turn(ms: number): void {
    this.#now += ms;
    for (const [action, at] of [...this.#timers]) {
      if (at > this.#now) continue;
      this.#timers.delete(action);
      action();
    }
  }
}

let clock: HandClock;
let peer: ScriptedPeer;
beforeEach(async () => {
  clock = new HandClock();
  peer = await scriptedPeer(Array(3).fill(politeScript));
});
afterEach(() => peer[Symbol.asyncDispose]());

function createPool(limits: Partial<PoolLimits> = {}) {
  return new ConnectionPool({
    dial,
    clock,
    ehloName: 'mx.example.com',
    limits: { ...defaultPoolLimits, ...limits },
  });
}

async function open(pool: ConnectionPool): Promise<Loan> {
  const { loan } = await pool.open([peer.endpoint]);
  if (loan === undefined) throw new Error('no session');
  return loan;
}

describe('ConnectionPool', () => {
  it('lends the same connection again, and only to the same endpoint', async () => {
    const pool = createPool();
    const loan = await open(pool);
    expect(pool.take([peer.endpoint])).toBeUndefined();
    pool.giveBack(loan);
    expect(pool.take([{ ...peer.endpoint, host: 'mx.example.org' }])).toBeUndefined();
    expect(pool.take([peer.endpoint])).toMatchObject({ session: loan.session, reused: true });
    expect(pool.take([peer.endpoint])).toBeUndefined();
    loan.session.conversation.close();
  });

  it('P9: lends a connection only under the demand that it was opened under', async () => {
    const pool = createPool();
    const clear = { key: 'clear', use: 'never' } as const;
    const loan = await open(pool);
    pool.giveBack(loan);
    expect(pool.take([peer.endpoint], clear)).toBeUndefined();
    const { loan: other } = await pool.open([peer.endpoint], undefined, clear);
    if (other === undefined) throw new Error('no session');
    pool.giveBack(other);
    expect(pool.take([peer.endpoint], clear)).toMatchObject({ session: other.session });
    expect(pool.take([peer.endpoint])).toMatchObject({ session: loan.session });
    loan.session.conversation.close();
    other.session.conversation.close();
  });

  it('not-11: says QUIT on all idle connections when it closes, and on those that come back later', async () => {
    const pool = createPool();
    const loans = [await open(pool), await open(pool), await open(pool)];
    for (const loan of loans.slice(1)) pool.giveBack(loan);
    await pool.close();
    for (const loan of loans.slice(0, 1)) pool.giveBack(loan);
    await peer.played();
  });

  it('ends a connection that nobody has used for a while', async () => {
    const pool = createPool({ idleMs: 1000 });
    pool.giveBack(await open(pool));
    clock.turn(600);
    pool.giveBack(await open(pool));
    clock.turn(600);
    expect(pool.take([peer.endpoint])).toBeDefined();
    expect(pool.take([peer.endpoint])).toBeUndefined();
    await pool.close();
  });

  it.each<[string, Partial<PoolLimits>]>([
    ['per endpoint', { idlePerEndpoint: 1 }],
    ['in all', { idle: 1 }],
    ['messages per connection', { messagesPerConnection: 1 }],
  ])('keeps to its limit %s', async (name, limits) => {
    const pool = createPool(limits);
    const loans = [await open(pool), await open(pool)];
    for (const loan of loans) pool.giveBack(loan);
    expect(pool.take([peer.endpoint]) !== undefined).toBe(name !== 'messages per connection');
    expect(pool.take([peer.endpoint])).toBeUndefined();
    await pool.close();
  });

  it('P7: ends a connection after as many messages as its site takes on one', async () => {
    const pool = createPool();
    pool.giveBack(await open(pool), 2);
    const again = pool.take([peer.endpoint]);
    if (again === undefined) throw new Error('not kept');
    pool.giveBack(again, 2);
    expect(pool.take([peer.endpoint])).toBeUndefined();
    await pool.close();
  });

  it('does not lend a connection that broke while it was idle', async () => {
    await using other = await scriptedPeer([`${hello}\n== hang up`]);
    const pool = createPool();
    const { loan } = await pool.open([other.endpoint]);
    if (loan === undefined) throw new Error('no session');
    pool.giveBack(loan);
    while (loan.session.conversation.quiet) await new Promise(setImmediate);
    expect(pool.take([other.endpoint])).toBeUndefined();
    await pool.close();
  });

  it('P13: goes first to the address that won the last race', async () => {
    await using four = await scriptedPeer([politeScript, politeScript]);
    const six = { ...four.endpoint, address: '::1' };
    const dialled: string[] = [];
    const blackHole: Dial = (endpoint, options) => {
      dialled.push(endpoint.address);
      if (endpoint.address !== '::1') return dial(endpoint, options);
      queueMicrotask(() => clock.turn(headStartMs));
      return new Promise((_, reject) => {
        options.signal?.addEventListener('abort', () => reject(new ConversationError('aborted', 'stopped')));
      });
    };
    const pool = new ConnectionPool({ dial: blackHole, clock, ehloName: 'mx.example.com' });
    const first = await pool.open([six, four.endpoint]);
    expect(first.loan).toMatchObject({ endpoint: four.endpoint, outran: [six] });
    const second = await pool.open([six, four.endpoint]);
    expect(second.loan).toMatchObject({ endpoint: four.endpoint, outran: [] });
    expect(dialled).toEqual(['::1', '127.0.0.1', '127.0.0.1']);
    for (const { loan } of [first, second]) if (loan !== undefined) pool.giveBack(loan);
    expect(pool.take([six, four.endpoint])?.endpoint).toBe(four.endpoint);
    await pool.close();
  });
});
