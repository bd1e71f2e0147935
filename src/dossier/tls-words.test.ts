import { expect, test } from 'vitest';
import type { TlsPolicyFacts } from './event.ts';
import { type Protection, protectionOf } from './tls-words.ts';

const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', certificate: 'self signed certificate' };
const dane: TlsPolicyFacts = { kind: 'dane', evidence: 'TLSA 3 1 1 ab… of mx.example.net' };
const testing: TlsPolicyFacts = {
  kind: 'sts-testing',
  evidence: 'policy 1 of example.net',
  fault: 'not for mx',
};

test.each<[string, Protection, RegExp]>([
  ['DANE that was shown', { tls, policy: dane }, /DANE \(TLSA 3 1 1 ab….*; the certificate is one that DNS/],
  [
    'DANE that was not',
    { tls, policy: { ...dane, fault: 'no match' }, error: 'no match' },
    /no match: no mail goes there/,
  ],
  ['a host that was not reached', { policy: dane, error: 'refused' }, /mx\.example\.net\)$/],
  ['a test that failed', { tls, policy: testing }, /not for mx: it goes on, since it is only a test/],
  [
    'a transport that asks for TLS',
    { tls, policy: { kind: 'verified', evidence: 'the transport asks for it' } },
    /TLS policy: a verified certificate \(the transport asks for it\); the certificate is for the host/,
  ],
  [
    'a transport that asks for none',
    { policy: { kind: 'none', evidence: 'a Unix socket' } },
    /TLS policy: none \(a Unix socket\)$/,
  ],
  ['no policy', { tls }, /TLS policy: none was found/],
  ['broken TLS', { tlsBrokenSince: 0 }, /in clear text although .* since 1970-01-01T00:00:00.000Z/],
])('P14: protectionOf() tells of %s', (_, protection, words) => {
  expect(protectionOf(protection).join('\n')).toMatch(words);
});

test('protectionOf() says nothing of TLS where nothing came about', () => {
  expect(protectionOf({ error: 'connection refused' })).toEqual([]);
});
