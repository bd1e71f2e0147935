import { beforeEach, describe, expect, it } from 'vitest';
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts';
import { BrokenTls, defaultBrokenTlsLimits } from './broken-tls.ts';

const { patienceMs, forgetMs } = defaultBrokenTlsLimits;
const mx = { host: 'mx.example.net', address: '192.0.2.1', port: 25 };
const other = { ...mx, address: '192.0.2.2' };

let clock: FakeClock;
let broken: BrokenTls;
beforeEach(() => {
  clock = fakeClock(0);
  broken = new BrokenTls(clock, { endpoints: 2 });
});

describe('BrokenTls', () => {
  it('P9: has patience for five minutes, counted from the first failure', () => {
    broken.failed(mx);
    expect(broken.brokenLongAt(mx)).toBe(patienceMs);
    clock.advance(patienceMs - 1);
    broken.failed(mx);
    expect(broken.brokenSince(mx)).toBeUndefined();
    expect(broken.brokenLongAt(mx)).toBe(patienceMs);
    clock.advance(1);
    expect(broken.brokenSince(mx)).toBe(0);
    expect(broken.brokenLongAt(mx)).toBeUndefined();
    expect(broken.brokenSince(other)).toBeUndefined();
  });

  it('P9: begins anew after a handshake, and after failures that nobody remembers', () => {
    broken.failed(mx);
    clock.advance(patienceMs);
    broken.worked(mx);
    expect(broken.brokenSince(mx)).toBeUndefined();
    broken.failed(mx);
    clock.advance(forgetMs);
    broken.failed(mx);
    expect(broken.brokenSince(mx)).toBeUndefined();
  });

  it('remembers so many endpoints, and forgets the one that failed longest ago', () => {
    broken.failed(mx);
    broken.failed(other);
    broken.failed({ ...mx, port: 587 });
    clock.advance(patienceMs);
    expect(broken.brokenSince(mx)).toBeUndefined();
    expect(broken.brokenSince(other)).toBe(0);
  });
});
