import { describe, expect, test } from 'vitest';
import { type Reply, reply } from '../smtp/reply.ts';
import { type Check, firstRefusal, refuseToReturn } from './recipient-checks.ts';

const no = reply(550, '5.7.1', 'No');
const never = reply(550, '5.7.2', 'Never');

describe('firstRefusal()', () => {
  const asked: string[] = [];
  const atOnce =
    (name: string, answer?: Reply): Check =>
    () => {
      asked.push(name);
      return answer;
    };
  const later =
    (name: string, answer?: Reply): Check =>
    async () => {
      asked.push(name);
      return answer;
    };

  test.each<[Check[], Reply | undefined, string]>([
    [[], undefined, ''],
    [[atOnce('a'), atOnce('b')], undefined, 'ab'],
    [[atOnce('a'), atOnce('b', no), atOnce('c', never)], no, 'ab'],
    [[later('a'), atOnce('b'), later('c', never), atOnce('d', no)], never, 'abc'],
    [[atOnce('a'), later('b'), atOnce('c')], undefined, 'abc'],
  ])('asks in order, and no further than needed', async (checks, expected, names) => {
    asked.length = 0;
    expect(await firstRefusal(checks)).toBe(expected);
    expect(asked.join('')).toBe(names);
  });

  test('answers at once where all do', () => {
    expect(firstRefusal([atOnce('a'), atOnce('b', no)])).toBe(no);
    expect(firstRefusal([atOnce('a')])).toBeUndefined();
  });
});

describe('refuseToReturn()', () => {
  const ann = { kind: 'remote', address: 'ann@example.net', destination: 'example.net' } as const;

  test.each([
    ['', true, undefined],
    ['eve@example.org', false, undefined],
    ['eve@example.org', true, 550],
  ])('from <%s>, to a rewritten address: %s', (reversePath, isReturn, code) => {
    expect(refuseToReturn(reversePath, [isReturn ? { ...ann, isReturn } : ann])?.code).toBe(code);
  });
});
