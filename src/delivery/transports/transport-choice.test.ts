import { describe, expect, test } from 'vitest';
import { completeTransport } from '../../config/transport.ts';
import { transportFinder } from './transport-choice.ts';

const to = (host: string, domains: string[], senders?: string[]) =>
  completeTransport({ protocol: 'smtp', host, domains, ...(senders && { senders }) });

const { find, isSplit } = transportFinder([
  to('all', ['*']),
  to('exact', ['example.net', 'a.deep.example.org']),
  to('below', ['.example.net', '.example.org']),
  to('deep', ['.deep.example.org']),
  to('alice', ['*'], ['alice@example.com']),
  to('com', ['*'], ['example.com']),
  to('bobs-net', ['example.net'], ['bob@example.com']),
  to('only-for-carol', ['carol.example'], ['carol@example.com']),
]);

describe('transportFinder()', () => {
  test.each([
    ['example.edu', 'x@example.org', 'all'],
    ['example.net', 'x@example.org', 'exact'],
    ['mx.example.net', 'x@example.org', 'below'],
    ['a.b.example.net', 'x@example.org', 'below'],
    ['example.org', 'x@example.org', 'all'],
    ['a.deep.example.org', 'x@example.org', 'exact'],
    ['b.deep.example.org', 'x@example.org', 'deep'],
    ['deep.example.org', 'x@example.org', 'below'],
    ['anexample.net', 'x@example.org', 'all'],
    ['[192.0.2.1]', 'x@example.org', 'all'],
    // The sender counts among those for the same domain only.
    ['example.edu', 'alice@example.com', 'alice'],
    ['example.edu', 'Alice@Example.COM', 'alice'],
    ['example.edu', 'dave@example.com', 'com'],
    ['example.net', 'alice@example.com', 'exact'],
    ['example.net', 'bob@example.com', 'bobs-net'],
    ['carol.example', 'carol@example.com', 'only-for-carol'],
    ['carol.example', 'dave@example.com', 'com'],
    ['carol.example', 'x@example.org', 'all'],
    // A report has no sender.
    ['example.edu', '', 'all'],
  ])('mail for %s from <%s> goes to %s', (domain, reversePath, host) => {
    expect(find(domain, { reversePath })?.transport.way).toMatchObject({ at: { host } });
  });

  test('takes the submitting account where the reverse path says nothing', () => {
    const way = (reversePath: string, submitter: string) =>
      find('example.edu', { reversePath, submitter })?.transport.way;
    expect(way('', 'alice@example.com')).toMatchObject({ at: { host: 'alice' } });
    expect(way('x@example.org', 'dave@example.com')).toMatchObject({ at: { host: 'com' } });
    expect(way('alice@example.com', 'bob@example.com')).toMatchObject({ at: { host: 'alice' } });
  });

  test('says why', () => {
    const why = (domain: string, reversePath: string) => find(domain, { reversePath })?.why;
    expect(why('example.net', 'bob@example.com')).toEqual({
      domains: 'example.net',
      sender: 'bob@example.com',
    });
    expect(why('mx.example.net', '')).toEqual({ domains: '.example.net' });
    expect(why('x.example', '')).toEqual({ domains: '*' });
  });

  test('finds nothing where nothing fits', () => {
    expect(transportFinder([]).find('example.net', { reversePath: '' })).toBeUndefined();
    const one = transportFinder([to('one', ['example.net'])]);
    expect(one.find('sub.example.net', { reversePath: '' })).toBeUndefined();
  });

  test.each([
    ['example.net', true],
    ['mx.example.net', false],
    ['carol.example', true],
    ['example.edu', true],
    ['a.deep.example.org', false],
  ])('isSplit() of %s is %s', (domain, split) => {
    expect(isSplit(domain)).toBe(split);
    expect(transportFinder([to('all', ['*'])]).isSplit(domain)).toBe(false);
  });
});
