import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import type { DoorSeen } from './door.ts';
import { doorFindings, relayFindings } from './door-findings.ts';

const hostname = 'mx.example.com';
const authority = testAuthority();
const issue = () => new X509Certificate(authority.issue([hostname]).cert);
const own = issue();
const address = '203.0.113.7';
const right: DoorSeen = {
  ...{ host: hostname, address, port: 25, outcome: { kind: 'open' }, greetedBy: hostname },
  ...{ chain: [own], tls: 'TLSv1.3, TLS_AES_256_GCM_SHA384', replies: new Map() },
};
const { chain: _, tls: __, ...clear } = right;

test.each<[string, DoorSeen, string[]?]>([
  ['good', right],
  ['door-closed', { ...clear, outcome: { kind: 'closed', why: 'ECONNREFUSED' } }],
  ['door-untested', { ...clear, outcome: { kind: 'closed', why: 'ETIMEDOUT' } }, [address]],
  ['door-refuses', { ...clear, outcome: { kind: 'refuses', why: '421 4.7.0 banned' } }],
  ['door-tls-fails', { ...clear, outcome: { kind: 'tls-fails', why: 'no cipher in common' } }],
  ['door-no-starttls', clear],
  ['door-other-server', { ...clear, greetedBy: 'other.example' }],
  ['certificate-old-served', { ...right, chain: [issue()] }],
])('P12: doorFindings(): %s', (id, seen, translated = []) => {
  const [finding, ...others] = doorFindings(seen, {
    ...{ hostname, ownCertificate: own, translated: new Set(translated) },
  });
  expect(finding?.id ?? finding?.severity).toBe(id);
  expect(others).toEqual([]);
  // Where, and why.
  expect(finding?.evidence).toContain(`${hostname} (${address}), port 25`);
  if ('why' in seen.outcome) expect(finding?.evidence).toContain(seen.outcome.why);
});

const [stranger, postmaster, abuse] = ['x@none.invalid', 'postmaster@example.com', 'abuse@example.com'];
const taken = { isTaken: true, isRefused: false, text: '250 2.1.5 OK' };
const refused = { isTaken: false, isRefused: true, text: '550 5.1.1 No such user here' };
const later = { isTaken: false, isRefused: false, text: '450 4.2.0 Later' };

test.each<[string[], [string, typeof taken][], boolean?]>([
  [
    ['good relay', 'good mailboxes'],
    [
      [stranger, refused],
      [postmaster, taken],
      [abuse, taken],
    ],
  ],
  [
    ['relay-open'],
    [
      [stranger, taken],
      [postmaster, taken],
      [abuse, taken],
    ],
  ],
  [
    ['relay-untested'],
    [
      [postmaster, taken],
      [abuse, taken],
    ],
    true,
  ],
  [
    ['mailbox-missing'],
    [
      [stranger, refused],
      [postmaster, refused],
      [abuse, taken],
    ],
  ],
  [
    ['mailbox-missing'],
    [
      [stranger, refused],
      [postmaster, taken],
      [abuse, refused],
    ],
  ],
  [
    ['mailbox-unknown'],
    [
      [stranger, refused],
      [postmaster, taken],
      [abuse, later],
    ],
  ],
])('P12: relayFindings(): %j', (expected, replies, isTrusted = false) => {
  const found = relayFindings(
    { ...right, replies: new Map(replies) },
    { stranger, mailboxes: [postmaster, abuse], isTrusted },
  );
  expect(found.map(({ id, severity, what }) => id ?? `${severity} ${what}`)).toEqual(expected);
});
