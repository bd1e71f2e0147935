import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../dossier/event.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { maxWinners, Winners, winnerLifeMs } from './winners.ts';

const pair = (host: string): [Endpoint, Endpoint] => [
  { host, address: '2001:db8::1', port: 25 },
  { host, address: '192.0.2.1', port: 25 },
];
const [six, four] = pair('mx.example.net');

describe('Winners', () => {
  it('P13: sends the next connection to the address that answered', () => {
    const winners = new Winners(fakeClock());
    expect(winners.inOrder([six, four])).toEqual([six, four]);
    winners.note([six, four], four);
    expect(winners.inOrder([six, four])).toEqual([four, six]);
    expect(winners.inOrder(pair('other.example.net'))).toEqual(pair('other.example.net'));
    winners.note([six, four], six);
    expect(winners.inOrder([six, four])).toEqual([six, four]);
  });

  it('forgets after a while, however often the winner went first and won again', () => {
    const clock = fakeClock();
    const winners = new Winners(clock);
    winners.note([six, four], four);
    clock.advance(winnerLifeMs - 1);
    winners.note([six, four], four);
    expect(winners.inOrder([six, four])).toEqual([four, six]);
    clock.advance(1);
    expect(winners.inOrder([six, four])).toEqual([six, four]);
  });

  it('keeps a bounded number of hosts, those that are asked for', () => {
    const winners = new Winners(fakeClock());
    const hosts = Array.from({ length: maxWinners + 1 }, (_, index) => pair(`mx${index}.example.net`));
    const [oldest = [six, four], second = [six, four]] = hosts;
    for (const host of hosts) {
      winners.inOrder(oldest);
      winners.note(host, host[1]);
    }
    expect(winners.inOrder(oldest)[0]).toBe(oldest[1]);
    expect(winners.inOrder(second)[0]).toBe(second[0]);
  });
});
