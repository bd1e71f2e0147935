import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../dossier/event.ts';
import { type Conversation, ConversationError, type Dial } from '../../smtp/conversation.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { headStartMs } from './address-race.ts';
import { dialFirst } from './dial-first.ts';

const at = (address: string): Endpoint => ({ host: 'mx.example.net', address, port: 25 });
const six = at('2001:db8::1');
const sixToo = at('2001:db8::2');
const four = at('192.0.2.1');
const fourToo = at('192.0.2.2');

/** A network in which the test says what becomes of each connection. */
function stage() {
  const clock = fakeClock();
  const log: string[] = [];
  const pending = new Map<string, { answer: () => void; refuse: () => void }>();
  const dial: Dial = (endpoint, { signal }) =>
    new Promise((resolve, reject) => {
      const { address } = endpoint;
      log.push(`dial ${address}`);
      const fail = (message: string) => reject(new ConversationError('connect', message));
      // All of a conversation that a race uses.
      const conversation = { endpoint, close: () => log.push(`close ${address}`) } as unknown as Conversation;
      signal?.addEventListener('abort', () => {
        log.push(`stop ${address}`);
        // A connection may come about in the very moment in which it is stopped.
        if (address !== sixToo.address) fail('stopped');
      });
      pending.set(address, { answer: () => resolve(conversation), refuse: () => fail('refused') });
    });
  const settle = async (address: string, how: 'answer' | 'refuse') => {
    pending.get(address)?.[how]();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  const race = (endpoints: Endpoint[], signal?: AbortSignal) =>
    dialFirst({ dial, clock, timeoutMs: 30_000, signal }, endpoints);
  return { clock, log, settle, race };
}

describe('dialFirst()', () => {
  it('P13: a black-holed IPv6 costs the head start, and is let go', async () => {
    const { clock, log, settle, race } = stage();
    const racing = race([six, four]);
    clock.advance(headStartMs - 1);
    expect(log).toEqual(['dial 2001:db8::1']);
    clock.advance(1);
    await settle('192.0.2.1', 'answer');
    const { first, failures } = await racing;
    expect(first).toMatchObject({ endpoint: four, outran: [six] });
    expect(failures).toEqual([]);
    expect(log).toEqual(['dial 2001:db8::1', 'dial 192.0.2.1', 'stop 2001:db8::1']);
    expect(clock.planned).toEqual([]);
  });

  it('P13: an IPv6 that answers within its head start is alone', async () => {
    const { clock, log, settle, race } = stage();
    const racing = race([six, four]);
    await settle('2001:db8::1', 'answer');
    expect((await racing).first).toMatchObject({ endpoint: six, outran: [] });
    expect(log).toEqual(['dial 2001:db8::1']);
    expect(clock.planned).toEqual([]);
  });

  it('a refusal brings on the next address at once, and is told of', async () => {
    const { log, settle, race } = stage();
    const racing = race([six, four]);
    await settle('2001:db8::1', 'refuse');
    await settle('192.0.2.1', 'answer');
    const { first, failures } = await racing;
    expect(first).toMatchObject({ endpoint: four, outran: [] });
    expect(failures).toMatchObject([{ endpoint: six, error: { message: 'refused' } }]);
    expect(log).toEqual(['dial 2001:db8::1', 'dial 192.0.2.1']);
  });

  it('gives every address its turn, one of each family at a time', async () => {
    const { clock, log, settle, race } = stage();
    const racing = race([six, four, sixToo, fourToo]);
    clock.advance(headStartMs);
    clock.advance(headStartMs);
    expect(log).toEqual(['dial 2001:db8::1', 'dial 192.0.2.1']);
    await settle('192.0.2.1', 'refuse');
    clock.advance(headStartMs);
    await settle('2001:db8::1', 'refuse');
    clock.advance(headStartMs);
    await settle('192.0.2.2', 'refuse');
    await settle('2001:db8::2', 'refuse');
    const { first, failures } = await racing;
    expect(first).toBeUndefined();
    expect(failures.map(({ endpoint }) => endpoint.address).sort()).toEqual(
      [six, four, sixToo, fourToo].map(({ address }) => address).sort(),
    );
  });

  it('a single family has no race and no timer', async () => {
    const { clock, log, settle, race } = stage();
    const racing = race([four, fourToo]);
    expect(clock.planned).toEqual([]);
    clock.advance(10 * headStartMs);
    expect(log).toEqual(['dial 192.0.2.1']);
    await settle('192.0.2.1', 'refuse');
    await settle('192.0.2.2', 'answer');
    expect((await racing).first?.endpoint).toBe(fourToo);
  });

  it('closes a connection that comes about after the race', async () => {
    const { clock, log, settle, race } = stage();
    const racing = race([sixToo, four]);
    clock.advance(headStartMs);
    await settle('192.0.2.1', 'answer');
    await racing;
    await settle('2001:db8::2', 'answer');
    expect(log.slice(-2)).toEqual(['stop 2001:db8::2', 'close 2001:db8::2']);
  });

  it('not-11: ends when it is stopped, and begins with no other', async () => {
    const { log, race } = stage();
    const stop = new AbortController();
    const racing = race([six, four], stop.signal);
    stop.abort();
    const { first, failures } = await racing;
    expect([first, failures.length]).toEqual([undefined, 1]);
    expect(log).toEqual(['dial 2001:db8::1', 'stop 2001:db8::1']);
  });
});
