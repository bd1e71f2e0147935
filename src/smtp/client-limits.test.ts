import { describe, expect, test } from 'vitest';
import { parseExtensions } from './client-extensions.ts';
import { parseLimits, SessionQuota } from './client-limits.ts';

const none = Number.POSITIVE_INFINITY;
const never = (): never => {
  throw new Error('no limits');
};
const limitsIn = (line: string) => parseLimits(parseExtensions({ code: 250, lines: ['mx', line] }));

describe('parseLimits()', () => {
  test.each([
    ['LIMITS MAILMAX=20 RCPTMAX=100 RCPTDOMAINMAX=1', { transactions: 20, recipients: 100, domains: 1 }],
    ['limits rcptmax=7', { transactions: none, recipients: 7, domains: none }],
    ['LIMITS', { transactions: none, recipients: none, domains: none }],
    [
      'LIMITS RCPTMAX=0 MAILMAX=x RCPTDOMAINMAX=1234567 OTHER=3 =',
      { transactions: none, recipients: none, domains: none },
    ],
    ['SIZE 1000', undefined],
  ])('reads "%s" (RFC 9422)', (line, limits) => {
    expect(limitsIn(line)).toEqual(limits);
  });
});

describe('SessionQuota', () => {
  const to = (...recipients: string[]) => recipients.map((recipient) => ({ recipient }));
  const quota = (limits: string) => new SessionQuota(limitsIn(`LIMITS ${limits}`) ?? never());

  test('admits so many recipients to one transaction (RCPTMAX)', () => {
    const session = quota('RCPTMAX=2');
    expect(session.admit(to('a@x.example', 'b@x.example', 'c@x.example'))).toEqual(
      to('a@x.example', 'b@x.example'),
    );
    session.use(to('a@x.example', 'b@x.example'));
    expect(session.admit(to('c@x.example'))).toHaveLength(1);
    expect(session.isUsedUp).toBe(false);
  });

  test('ends after so many transactions (MAILMAX)', () => {
    const session = quota('MAILMAX=1');
    session.use(session.admit(to('a@x.example')));
    expect(session.admit(to('b@x.example'))).toEqual([]);
    expect(session.isUsedUp).toBe(true);
  });

  test('admits so many domains to one session, however they are written (RCPTDOMAINMAX)', () => {
    const session = quota('RCPTDOMAINMAX=1');
    const first = session.admit(to('a@X.example', 'b@y.example', 'c@x.example'));
    expect(first).toEqual(to('a@X.example', 'c@x.example'));
    session.use(first);
    expect(session.admit(to('b@y.example'))).toEqual([]);
    expect(session.admit(to('d@x.example'))).toHaveLength(1);
    expect(session.isUsedUp).toBe(true);
  });
});
