import { expect, test } from 'vitest';
import type { Answer, Resolver } from './resolver.ts';
import { type LookUp, watchedResolver } from './watched-resolver.ts';

const answers: Record<string, Answer<never>> = {
  'there.example': { status: 'found', records: [], ttl: 1, authentic: false },
  'gone.example': { status: 'none', reason: 'nxdomain', ttl: 1, authentic: false },
  'empty.example': { status: 'none', reason: 'nodata', ttl: 1, authentic: false },
  'ill.example': { status: 'failed', detail: 'SERVFAIL' },
};

test('watchedResolver() tells what came of each question, and gives the answer on', async () => {
  let now = 0;
  const upstream: Resolver = {
    resolve: async (name) => {
      now += 5;
      return answers[name] as Answer<never>;
    },
  };
  const seen: LookUp[] = [];
  const watched = watchedResolver(
    upstream,
    (lookUp) => seen.push(lookUp),
    () => now,
  );
  for (const name of Object.keys(answers)) expect(await watched.resolve(name, 'MX')).toBe(answers[name]);
  expect(seen).toEqual(
    ['found', 'nxdomain', 'nodata', 'failed'].map((outcome) => ({ type: 'MX', outcome, durationMs: 5 })),
  );
});

test('watchedResolver() says nothing of a question that nobody waits for any more', async () => {
  const seen: LookUp[] = [];
  const upstream: Resolver = { resolve: async (_name, _type, signal) => Promise.reject(signal?.reason) };
  const watched = watchedResolver(upstream, (lookUp) => seen.push(lookUp));
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(watched.resolve('there.example', 'A', signal)).rejects.toThrow('stopped');
  expect(seen).toEqual([]);
});
