import { expect, test } from 'vitest';
import { addressIn } from './claims.ts';

const byEmail = { claim: 'email', scopes: [] };
const bob = { email: 'Bob@EXAMPLE.com', email_verified: true };

test.each([
  ['a verified address', bob, byEmail],
  ['another claim, verified or not', { upn: 'bob@example.com' }, { claim: 'upn', scopes: [] }],
  ['the scopes that are wanted', { ...bob, scope: 'openid mail' }, { ...byEmail, scopes: ['mail'] }],
  ['scopes in a list', { ...bob, scp: ['mail', 'openid'] }, { ...byEmail, scopes: ['mail', 'openid'] }],
])('addressIn() takes %s', (_, claims, mapping) => {
  expect(addressIn(claims, mapping)).toEqual({ address: 'bob@example.com' });
});

test.each([
  ['an address that is not verified', { ...bob, email_verified: false }, byEmail, /not verified/],
  ['an address of which nothing is said', { email: 'bob@example.com' }, byEmail, /not verified/],
  ['"true" as text', { ...bob, email_verified: 'true' }, byEmail, /not verified/],
  ['no address', {}, byEmail, /no mail address/],
  ['a name', { ...bob, email: 'bob' }, byEmail, /no mail address/],
  ['a list of addresses', { ...bob, email: ['bob@example.com'] }, byEmail, /no mail address/],
  ['too few scopes', { ...bob, scope: 'openid' }, { ...byEmail, scopes: ['mail'] }, /lacks the scope mail/],
  ['part of a scope', { ...bob, scope: 'mailbox' }, { ...byEmail, scopes: ['mail'] }, /lacks the scope mail/],
])('addressIn() refuses %s', (_, claims, mapping, fault) => {
  expect(addressIn(claims, mapping)).toEqual({ fault: expect.stringMatching(fault) });
});
