import { expect, test } from 'vitest';
import { faultOfHash } from './argon2-hash.ts';
import { hashPassword } from './passwords.ts';

const tail = '$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';

test.each([
  // Dovecot's default, and libsodium's "interactive" and "moderate".
  `$argon2id$v=19$m=65536,t=3,p=1${tail}`,
  `$argon2id$v=19$m=65536,t=2,p=1${tail}`,
  `$argon2id$v=19$m=262144,t=3,p=1${tail}`,
  '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
])('faultOfHash() finds none in %s', (hash) => {
  expect(faultOfHash(hash)).toBeUndefined();
});

test('faultOfHash() finds none in what we make', async () => {
  expect(faultOfHash(await hashPassword('a password'))).toBeUndefined();
});

test.each([
  [`$argon2id$v=19$m=4294967295,t=3,p=4${tail}`, /costs too much/],
  [`$argon2id$v=19$m=3000000,t=1,p=1${tail}`, /costs too much/],
  [`$argon2id$v=19$m=65536,t=10000,p=1${tail}`, /costs too much/],
  [`$argon2id$v=19$m=65536,t=1,p=200${tail}`, /costs too much/],
  [`$argon2id$v=19$m=65536,t=3,p=0${tail}`, /impossible cost/],
  [`$argon2id$v=19$m=65536,t=0,p=1${tail}`, /impossible cost/],
  [`$argon2id$v=19$m=7,t=1,p=1${tail}`, /impossible cost/],
  ['$argon2id$v=19$m=65536,t=3,p=4$xx$yy', /cut off/],
  ['$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzh', /cut off/],
  ['$argon2id$v=19$m=65536', /that is not/],
  [`$argon2id$v=16$m=65536,t=3,p=4${tail}`, /that is not/],
  [`$argon2id$v=19$m=65536,t=3,p=4${tail}\n`, /that is not/],
  ['x', /that is not/],
])('faultOfHash(%j) says what is wrong', (hash, fault) => {
  expect(faultOfHash(hash)).toMatch(fault);
});
