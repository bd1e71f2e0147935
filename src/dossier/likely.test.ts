import { describe, expect, test } from 'vitest';
import { type Likely, likelyText } from './likely.ts';

const now = Date.UTC(2026, 0, 5, 12);
const minute = 60_000;

const basis: Likely = {
  recipient: 'a@example.net',
  now,
  at: now + 4 * minute,
  isUnderWay: false,
  isServerRunning: true,
  nextAttemptAt: now - 1,
  expiresAt: now + 5 * 24 * 60 * minute,
  ahead: 0,
};
const busy = { kind: 'busy' as const, until: now + 4 * minute, reason: '421 4.7.28 unusual rate' };

describe('likelyText()', () => {
  test.each([
    [
      { heldBy: 'an administrator' },
      'a@example.net is on hold (by an administrator): it goes when it is released',
    ],
    [
      { suspended: { what: 'mail to example.net' } },
      'a@example.net waits, for mail to example.net is suspended until it is resumed',
    ],
    [
      { suspended: { what: 'all delivery', until: now + minute } },
      'a@example.net waits, for all delivery is suspended until 12:01:00 UTC',
    ],
    [{ isUnderWay: true }, 'a@example.net is being tried now'],
    [{ isServerRunning: false }, 'a@example.net is due, but no server is running'],
    [
      { isServerRunning: false, nextAttemptAt: now + minute },
      'a@example.net is due at 12:01:00 UTC, but no server is running',
    ],
    [{ at: now + 10 }, 'a@example.net is likely to go now'],
    [
      { ahead: 120, site: { name: 'google.com', trouble: busy } },
      'a@example.net is likely to go in about 4 minutes (12:04:00 UTC): the site google.com is slowed down, as it asked, until 12:04:00 UTC (421 4.7.28 unusual rate), 120 others before it',
    ],
    [
      { site: { name: 'mx.a.example', trouble: { ...busy, kind: 'down' as const, reason: 'ECONNREFUSED' } } },
      'a@example.net is likely to go in about 4 minutes (12:04:00 UTC): the site mx.a.example could not be reached, and is left alone until 12:04:00 UTC (ECONNREFUSED)',
    ],
    [
      {
        site: {
          name: 'no route to example.net',
          isUnknown: true as const,
          trouble: { ...busy, kind: 'down' as const, reason: 'example.net MX: no answer' },
        },
      },
      'a@example.net is likely to go in about 4 minutes (12:04:00 UTC): its site could not be found out, and is left alone until 12:04:00 UTC (example.net MX: no answer)',
    ],
    [
      { site: { name: 'google.com', trouble: { ...busy, until: now - 1 } } },
      'a@example.net is likely to go in about 4 minutes (12:04:00 UTC)',
    ],
    [
      { ahead: 1, site: { name: 'google.com', messagesPerHour: 60 } },
      'a@example.net is likely to go in about 4 minutes (12:04:00 UTC): google.com gets 60 messages an hour, 1 other before it',
    ],
    [
      { nextAttemptAt: now + 13 * 60 * minute, at: now + 13 * 60 * minute },
      'a@example.net is likely to go in about 13 hours (2026-01-06 01:00:00 UTC): its next attempt is planned for 2026-01-06 01:00:00 UTC',
    ],
    [
      { at: now + 6 * 24 * 60 * minute },
      'a@example.net is not likely to go before its end at 2026-01-10 12:00:00 UTC',
    ],
  ])('P7: %j', (changes, text) => {
    expect(likelyText({ ...basis, ...changes })).toBe(text);
  });

  test('says nothing of a moment that is not known', () => {
    const { at: _, ...unknown } = basis;
    expect(likelyText(unknown)).toBe(
      'a@example.net is not likely to go before its end at 2026-01-10 12:00:00 UTC',
    );
  });
});
