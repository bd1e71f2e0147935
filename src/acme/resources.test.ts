import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AcmeError, problemType, refusal } from './acme-error.ts';
import { readAuthorization, readDirectory, readOrder } from './resources.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const url = 'https://ca.example/x';

describe('readDirectory()', () => {
  const directory = { newNonce: url, newAccount: url, newOrder: url };

  it('reads where things are, and what the authority wants', () => {
    const meta = {
      termsOfService: 'https://ca.example/terms',
      caaIdentities: ['ca.example'],
      externalAccountRequired: true,
    };
    expect(readDirectory(bytes({ ...directory, renewalInfo: url, meta }))).toMatchObject({
      newOrder: new URL(url),
      renewalInfo: new URL(url),
      caaIdentities: ['ca.example'],
      needsExternalAccount: true,
    });
  });

  it.each([
    ['no object', []],
    ['a place that is missing', { ...directory, newOrder: undefined }],
    ['a place without TLS', { ...directory, newOrder: 'http://ca.example/x' }],
  ])('refuses %s', (_, value) => {
    expect(() => readDirectory(bytes(value))).toThrow('makes no sense');
  });
});

describe('readAuthorization()', () => {
  it('leaves out challenges that cannot be used, and tokens that could be paths', () => {
    const challenge = { type: 'http-01', url, status: 'pending', token: 'abc' };
    const challenges = [challenge, { type: 'x' }, { ...challenge, token: '../../etc/passwd' }, 'odd'];
    const identifier = { type: 'dns', value: 'MX.example.com' };
    expect(readAuthorization(bytes({ status: 'pending', identifier, challenges }))).toMatchObject({
      name: 'mx.example.com',
      challenges: [{ type: 'http-01', token: 'abc' }],
    });
  });
});

it('what an authority says is read, or is nonsense: never another error', () => {
  const parts = fc.constantFrom('status', 'identifiers', 'authorizations', 'finalize', 'meta', 'challenges');
  const value = fc.dictionary(parts, fc.jsonValue());
  fc.assert(
    fc.property(fc.oneof(value, fc.jsonValue()), (said) => {
      for (const read of [readDirectory, readOrder, readAuthorization])
        try {
          read(bytes(said));
        } catch (error) {
          expect(error).toBeInstanceOf(AcmeError);
        }
    }),
  );
});

describe('refusal()', () => {
  const answer = (status: number, body: unknown, headers = {}) => ({
    ...{ status, headers, certificate: 'verified' },
    body: Buffer.isBuffer(body) ? body : bytes(body),
  });

  it('tells what the authority says, of each name', () => {
    const error = refusal(
      answer(403, {
        type: 'urn:ietf:params:acme:error:malformed',
        detail: 'Some of the identifiers\nrequested were rejected',
        subproblems: [{ detail: 'no such TLD', identifier: { type: 'dns', value: 'a.invalid' } }],
      }),
      0,
    );
    expect(error).toMatchObject({ trouble: 'refused', type: 'malformed' });
    expect(error.message).toBe(
      'the authority refuses: Some of the identifiers requested were rejected; a.invalid: no such TLD',
    );
  });

  it('knows that CAA is in the way of one name among several', () => {
    const type = (name: string) => `urn:ietf:params:acme:error:${name}`;
    const subproblems = [{ detail: 'x' }, { type: type('caa'), detail: 'CAA of a.example' }];
    expect(refusal(answer(403, { type: type('compound'), subproblems }), 0)).toMatchObject({
      type: 'caa',
      message: 'the authority refuses: x; CAA of a.example',
    });
    expect(problemType({ subproblems: [{ type: type('dns') }] })).toBeUndefined();
    expect(problemType({ type: 'about:blank' })).toBe('about:blank');
  });

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 1970 00:05:00 GMT', 300_000],
    ['-1', undefined],
    ['soon', undefined],
  ])('heeds Retry-After: %s', (header, expected) => {
    const error = refusal(answer(429, { detail: 'x' }, { 'retry-after': header }), 0);
    expect(error).toMatchObject({ trouble: 'rate-limited', retryAfterMs: expected });
  });

  it('bears what is no JSON, and what is long', () => {
    expect(refusal(answer(502, Buffer.from('<html>')), 0).message).toBe(
      'the authority is out of order: it answered 502',
    );
    expect(refusal(answer(400, { detail: 'x'.repeat(10_000) }), 0).message.length).toBeLessThan(600);
  });
});
