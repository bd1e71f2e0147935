import { describe, expect, test } from 'vitest';
import type { Clock } from '../util/clock.ts';
import { cachedResolver } from './cache.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from './resolver.ts';

type Open = { question: string; answer: (answer: Answer<string>) => void; signal: AbortSignal | undefined };

/** An upstream whose answers the test gives by hand, and a clock whose hands the test turns. */
function scene(limits = {}) {
  let nowMs = 1e12;
  const clock: Clock = { now: () => nowMs, after: () => () => {} };
  const asked: Open[] = [];
  const upstream: Resolver = {
    resolve<T extends RecordType>(name: string, type: T, signal?: AbortSignal) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer<string>>();
      signal?.addEventListener('abort', () => reject(signal.reason));
      asked.push({ question: `${name} ${type}`, answer: resolve, signal });
      // These tests ask for A only, whose data are strings.
      return promise as Promise<Answer<RecordTypes[T]>>;
    },
  };
  const resolver = cachedResolver(upstream, clock, limits);
  return {
    asked,
    pass: (seconds: number) => (nowMs += seconds * 1000),
    ask: (name: string, signal?: AbortSignal) => resolver.resolve(name, 'A', signal),
    /** Asks, and lets upstream answer; fails when upstream was not asked. */
    async learn(name: string, answer: Answer<string>) {
      const learned = resolver.resolve(name, 'A');
      asked.at(-1)?.answer(answer);
      return learned;
    },
  };
}

const found = (ttl: number): Answer<string> => ({
  status: 'found',
  records: ['192.0.2.1'],
  ttl,
  authentic: false,
});
const none = (ttl: number): Answer<string> => ({ status: 'none', reason: 'nxdomain', ttl, authentic: false });
const failure: Answer<string> = { status: 'failed', detail: 'SERVFAIL' };

describe('cachedResolver() keeps', () => {
  test('an answer for its TTL, and says what is left of it', async () => {
    const { asked, pass, ask, learn } = scene();
    await learn('example.com', found(300));
    pass(100);
    expect(await ask('EXAMPLE.com.')).toEqual(found(200));
    pass(200);
    void ask('example.com');
    expect(asked).toHaveLength(2);
  });

  test('"there is none" for its TTL, and a failure for a few seconds', async () => {
    const { asked, pass, ask, learn } = scene({ failureTtl: 5 });
    await learn('none.example', none(60));
    await learn('failed.example', failure);
    expect(await ask('none.example')).toEqual(none(60));
    expect(await ask('failed.example')).toEqual(failure);
    pass(5);
    expect(await ask('none.example')).toEqual(none(55));
    void ask('failed.example');
    expect(asked.map(({ question }) => question)).toEqual([
      'none.example A',
      'failed.example A',
      'failed.example A',
    ]);
  });

  test('nothing longer than a day, nothing at all with a TTL of 0', async () => {
    const { asked, ask, learn } = scene({ maxTtl: 86_400 });
    await learn('long.example', found(1e9));
    expect(await ask('long.example')).toEqual(found(86_400));
    await learn('short.example', found(0));
    void ask('short.example');
    expect(asked).toHaveLength(3);
  });

  test('at most maxEntries, and drops the one not asked for longest', async () => {
    const { asked, ask, learn } = scene({ maxEntries: 2 });
    await learn('a.example', found(60));
    await learn('b.example', found(60));
    await ask('a.example');
    await learn('c.example', found(60));
    await ask('a.example');
    void ask('b.example');
    expect(asked.at(-1)?.question).toBe('b.example A');
    expect(asked).toHaveLength(4);
  });
});

describe('cachedResolver() asks once for all who want to know at the same moment', () => {
  test('and gives them the same answer', async () => {
    const { asked, ask } = scene();
    const answers = [ask('example.com'), ask('Example.com'), ask('example.com')];
    asked[0]?.answer(found(60));
    expect(await Promise.all(answers)).toEqual(Array(3).fill(found(60)));
    expect(asked).toHaveLength(1);
  });

  test('also when one of them leaves', async () => {
    const { asked, ask } = scene();
    const leaving = new AbortController();
    const [first, second] = [
      ask('example.com', leaving.signal),
      ask('example.com', new AbortController().signal),
    ];
    leaving.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    asked[0]?.answer(found(60));
    expect(await second).toEqual(found(60));
  });

  test('and drops the question when all have left; the next begins anew', async () => {
    const { asked, ask } = scene();
    const leaving = new AbortController();
    const answers = [ask('example.com', leaving.signal), ask('example.com', leaving.signal)];
    leaving.abort(new Error('gone'));
    expect(await Promise.allSettled(answers)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect(asked[0]?.signal?.aborted).toBe(true);
    const anew = ask('example.com');
    asked[1]?.answer(found(60));
    expect(await anew).toEqual(found(60));
  });

  test('but not for who comes with a signal that is aborted already', async () => {
    const { asked, ask } = scene();
    await expect(ask('example.com', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(asked).toEqual([]);
  });
});
