import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { type KeptSession, maxKeys, maxSessionsPerKey, TlsSessions, verdictLifeMs } from './tls-sessions.ts';

function stage(maxBytes?: number) {
  const clock = fakeClock();
  const sessions = new TlsSessions(clock, maxBytes);
  const kept = (name: string, verifiedAt = clock.now()): KeptSession => ({
    session: Buffer.from(name),
    chainBytes: 100,
    shown: { facts: { version: 'TLSv1.3', cipher: 'x' }, distrust: undefined, chain: () => [] },
    verifiedAt,
  });
  const take = (key: string) => sessions.take(key)?.session.toString();
  return { clock, sessions, kept, take };
}

describe('TlsSessions', () => {
  it('gives each session out once, the newest first, and only under its key', () => {
    const { sessions, kept, take } = stage();
    sessions.keep('a', kept('1'));
    sessions.keep('a', kept('2'));
    expect([take('b'), take('a'), take('a'), take('a')]).toEqual([undefined, '2', '1', undefined]);
  });

  it('keeps a few per key, and a bounded number of keys: those used last', () => {
    const { sessions, kept, take } = stage();
    for (let number = 0; number <= maxSessionsPerKey; number++) sessions.keep('a', kept(String(number)));
    const taken = Array.from({ length: maxSessionsPerKey + 1 }, () => take('a'));
    expect(taken).toEqual([
      ...Array.from({ length: maxSessionsPerKey }, (_, index) => String(maxSessionsPerKey - index)),
      undefined,
    ]);
    for (let number = 0; number <= maxKeys; number++) sessions.keep(`key ${number}`, kept('x'));
    expect([take('key 0'), take('key 1')]).toEqual([undefined, 'x']);
  });

  it('forgets what was verified too long ago, also if the session is a new one', () => {
    const { clock, sessions, kept, take } = stage();
    const verifiedAt = clock.now();
    sessions.keep('a', kept('old'));
    clock.advance(verdictLifeMs - 1);
    sessions.keep('b', kept('new', verifiedAt));
    expect(take('a')).toBe('old');
    clock.advance(1);
    expect(take('b')).toBeUndefined();
    sessions.keep('c', kept('late', verifiedAt));
    expect(take('c')).toBeUndefined();
  });

  it('keeps so many octets in all, with the certificates, and of those used last', () => {
    const { sessions, kept, take } = stage(303);
    for (const key of ['a', 'b', 'c']) sessions.keep(key, kept('x'));
    sessions.keep('c', kept('y'));
    expect([take('a'), take('b'), take('c')]).toEqual([undefined, 'x', 'y']);
    sessions.keep('b', kept('z')); // there is room again
    sessions.keep('b', kept('z'));
    expect([take('c'), take('b'), take('b')]).toEqual(['x', 'z', 'z']);
    sessions.keep('a', kept('x'.repeat(300)));
    expect(take('a')).toBeUndefined();
  });

  it('counts the certificates that a server has shown', () => {
    const chain = [new X509Certificate(testAuthority().issue(['mx.example.net']).cert)];
    for (const [maxBytes, isKept] of [
      [5000, true],
      [100, false],
    ] as const) {
      const { sessions, kept, take, clock } = stage(maxBytes);
      const socket = new EventEmitter() as TLSSocket; // follow() only listens to it
      const tickets = sessions.follow(socket, 'a');
      tickets.keep({ ...kept('x').shown, chain: () => chain }, clock.now());
      socket.emit('session', Buffer.from('x'));
      expect(take('a')).toBe(isKept ? 'x' : undefined);
    }
  });

  it('keeps nothing that is too long', () => {
    const { sessions, kept, take } = stage();
    sessions.keep('a', kept('x'.repeat(20_000)));
    expect(take('a')).toBeUndefined();
  });
});
