import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SaslExchange, SaslStep } from './exchange.ts';
import {
  longestPartBytes,
  longestPasswordChars,
  longestResponseChars,
  offeredOver,
  startExchange,
} from './mechanisms.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function start(mechanism: string): SaslExchange {
  const exchange = startExchange(mechanism);
  if (exchange === undefined) throw new Error(`no mechanism ${mechanism}`);
  return exchange;
}

const plain = (message: string): SaslStep => start('PLAIN').step(base64(message));
const malformed = { kind: 'error', reason: 'malformed' };

describe('startExchange()', () => {
  test('knows its mechanisms in any case, and nothing else', () => {
    expect(startExchange('plain')).toBeDefined();
    expect(startExchange('LOGIN')).toBeDefined();
    expect(startExchange('Scram-SHA-256-Plus')).toBeDefined();
    for (const name of ['', 'CRAM-MD5', 'PLAIN ', '__proto__', 'constructor']) {
      expect(startExchange(name)).toBeUndefined();
    }
  });

  test('an exchange that is over takes nothing more', () => {
    const exchange = start('PLAIN');
    exchange.step(base64('\0bob\0secret'));
    expect(exchange.step(base64('\0bob\0secret'))).toMatchObject(malformed);
  });

  test('`*` cancels at every step', () => {
    const cancelled = { kind: 'error', reason: 'cancelled' };
    const plainExchange = start('PLAIN');
    plainExchange.step(undefined);
    expect(plainExchange.step('*')).toMatchObject(cancelled);
    const login = start('LOGIN');
    login.step(base64('bob'));
    expect(login.step('*')).toMatchObject(cancelled);
    expect(login.step(base64('secret'))).toMatchObject(malformed);
  });
});

describe('PLAIN', () => {
  test('takes credentials from an initial response', () => {
    expect(plain('\0bob@example.com\0se cret')).toEqual({
      kind: 'claim',
      claim: { authorizationId: '', user: 'bob@example.com', password: 'se cret' },
    });
  });

  test('challenges with nothing where no initial response came', () => {
    const exchange = start('PLAIN');
    expect(exchange.step(undefined)).toEqual({ kind: 'challenge', challenge: '' });
    expect(exchange.step(base64('alice\0bob\0secret'))).toEqual({
      kind: 'claim',
      claim: { authorizationId: 'alice', user: 'bob', password: 'secret' },
    });
  });

  test('keeps UTF-8 as it is, a byte order mark too', () => {
    expect(plain('\0jürgen\0\uFEFFpaß')).toMatchObject({
      claim: { user: 'jürgen', password: '\uFEFFpaß' },
    });
  });

  test.each([
    ['no NUL', 'bob'],
    ['one NUL', 'bob\0secret'],
    ['three NULs', '\0bob\0secret\0'],
    ['no user', '\0\0secret'],
    ['no password', '\0bob\0'],
    ['nothing', ''],
  ])('refuses a message with %s', (_claim, message) => {
    expect(plain(message)).toMatchObject(malformed);
  });

  test('takes parts of 255 octets and refuses 256', () => {
    const longest = 'x'.repeat(longestPartBytes);
    expect(base64(`${longest}\0${longest}\0${longest}`)).toHaveLength(longestPasswordChars);
    expect(plain(`${longest}\0${longest}\0${longest}`)).toMatchObject({ kind: 'claim' });
    expect(plain(`\0${longest}y\0secret`)).toMatchObject(malformed);
    expect(plain(`\0bob\0${longest}y`)).toMatchObject(malformed);
  });

  test.each([
    ['spaces', ' AGJvYgBzZWNyZXQ='],
    ['no padding', 'AGJvYgBzZWNyZXQ'],
    ['the URL alphabet', base64('\0bob\0>>>???').replaceAll('+', '-').replaceAll('/', '_')],
    ['stray bits', 'AGJvYgBzZWNyZXR='],
    ['text after the padding', 'AGJvYgBzZWNyZXQ=AA=='],
    ['octets that are not UTF-8', Buffer.from([0, 0xff, 0, 0xfe]).toString('base64')],
    ['an overlong encoding', Buffer.from([0, 0xc0, 0x80, 0, 0x61]).toString('base64')],
    ['a mebibyte', 'A'.repeat(2 ** 20)],
  ])('refuses base64 with %s', (_claim, line) => {
    expect(start('PLAIN').step(line)).toMatchObject(malformed);
  });
});

describe('LOGIN', () => {
  test('asks for the user, then the password', () => {
    const exchange = start('LOGIN');
    expect(exchange.step(undefined)).toEqual({ kind: 'challenge', challenge: 'VXNlcm5hbWU6' });
    expect(exchange.step(base64('bob'))).toEqual({ kind: 'challenge', challenge: 'UGFzc3dvcmQ6' });
    expect(exchange.step(base64('secret'))).toEqual({
      kind: 'claim',
      claim: { authorizationId: '', user: 'bob', password: 'secret' },
    });
  });

  test('takes the user as initial response', () => {
    const exchange = start('LOGIN');
    expect(exchange.step(base64('bob'))).toEqual({ kind: 'challenge', challenge: 'UGFzc3dvcmQ6' });
    expect(exchange.step(base64('secret'))).toMatchObject({
      claim: { user: 'bob', password: 'secret' },
    });
  });

  test('`=` is the empty response only at first', () => {
    const exchange = start('LOGIN');
    expect(exchange.step('=')).toMatchObject({ kind: 'challenge' });
    expect(start('LOGIN').step(undefined)).toMatchObject({ kind: 'challenge' });
    expect(exchange.step('=')).toMatchObject(malformed);
  });

  test.each([
    ['an empty user', '', 'secret'],
    ['an empty password', 'bob', ''],
    ['a NUL in the user', 'bob\0', 'secret'],
    ['a NUL in the password', 'bob', 'sec\0ret'],
    ['a password of 256 octets', 'bob', 'x'.repeat(longestPartBytes + 1)],
  ])('refuses %s', (_claim, user, password) => {
    const exchange = start('LOGIN');
    exchange.step(undefined);
    exchange.step(base64(user));
    expect(exchange.step(base64(password))).toMatchObject(malformed);
  });
});

describe('mechanisms whose messages are handed on', () => {
  const binding = () => Buffer.from('bound');
  const claim = { mechanism: 'SCRAM-SHA-256', binding };

  test('hand on each message, and say which is the first', () => {
    const exchange = startExchange('scram-sha-256', binding);
    expect(exchange?.step(base64('n,,n=bob,r=x'))).toEqual({
      kind: 'claim',
      claim: { ...claim, message: 'n,,n=bob,r=x', begins: true },
    });
    expect(exchange?.step('')).toEqual({ kind: 'claim', claim: { ...claim, message: '', begins: false } });
    expect(exchange?.step('*')).toMatchObject({ kind: 'error', reason: 'cancelled' });
  });

  test('ask for the first message where AUTH came without it', () => {
    const exchange = startExchange('SCRAM-SHA-256', binding);
    expect(exchange?.step(undefined)).toEqual({ kind: 'challenge', challenge: '' });
    expect(exchange?.step(base64('x'))).toMatchObject({ claim: { message: 'x', begins: true } });
  });

  test('take a token as long as a line, and no longer', () => {
    const longest = base64('x'.repeat((longestResponseChars / 4) * 3));
    expect(startExchange('OAUTHBEARER')?.step(longest)).toMatchObject({ kind: 'claim' });
    expect(startExchange('OAUTHBEARER')?.step(`${longest}AAAA`)).toMatchObject(malformed);
  });

  test('-PLUS is offered only where there is something to bind to, and nothing is bound where it is not', () => {
    const all = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN'];
    expect(offeredOver(all, binding)).toEqual({ mechanisms: all, binding });
    expect(offeredOver(all, undefined)).toEqual({ mechanisms: all.slice(1) });
    expect(offeredOver(['PLAIN'], binding)).toEqual({ mechanisms: ['PLAIN'] });
  });
});

describe('fuzz', () => {
  const response = fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('*', '=', ''),
    fc.base64String(),
    fc.uint8Array({ maxLength: 900 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  );

  test('whatever the lines: a challenge, clean credentials or an error, and an end', () => {
    fc.assert(
      fc.property(fc.constantFrom('PLAIN', 'LOGIN'), fc.array(response, { maxLength: 6 }), (name, lines) => {
        const exchange = start(name);
        const steps = lines.map((line) => exchange.step(line));
        const last = steps.findIndex(({ kind }) => kind !== 'challenge');
        expect(steps.slice(0, last < 0 ? undefined : last).length).toBeLessThanOrEqual(2);
        if (last >= 0) {
          expect(steps.slice(last + 1).every(({ kind }) => kind === 'error')).toBe(true);
        }
        for (const step of steps) {
          if (step.kind !== 'claim' || !('password' in step.claim)) continue;
          const parts = Object.values(step.claim);
          expect(parts.every((part) => Buffer.byteLength(part) <= 255 && !part.includes('\0'))).toBe(true);
          expect(step.claim.user).not.toBe('');
        }
      }),
    );
  });

  test('PLAIN gives back whatever parts were put in', () => {
    const part = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(part, part, part, (authorizationId, user, password) => {
        expect(plain(`${authorizationId}\0${user}\0${password}`)).toEqual({
          kind: 'claim',
          claim: { authorizationId, user, password },
        });
      }),
    );
  });
});
