import { describe, expect, it, test } from 'vitest';
import { reply } from '../../smtp/reply.ts';
import { maxNamedWaitMs, meaningOf, namedWait, soundsLikeGreylisting } from './reply-meaning.ts';

const minute = 60_000;

describe('meaningOf()', () => {
  test.each([
    // who, code, enhanced, text, meaning, the time it names in seconds
    ['postgrey', 450, '4.2.0', '<a@b>: Recipient address rejected: Greylisted, see http://x', 'greylisting'],
    [
      'milter-greylist',
      451,
      '4.7.1',
      'Greylisting in action, please come back in 00:04:59',
      'greylisting',
      299,
    ],
    ['milter-greylist, quiet', 451, '4.7.1', 'Greylisting in action, please come back later', 'greylisting'],
    [
      'sqlgrey',
      450,
      '4.7.1',
      '<a@b>: Recipient address rejected: Greylisted for 5 minutes',
      'greylisting',
      300,
    ],
    ['rspamd', 451, '4.7.1', 'Try again later', 'greylisting'],
    ['rspamd without a status', 451, '', 'Try again later', 'greylisting'],
    ['OpenBSD spamd', 451, '', 'Temporary failure, please try again later.', 'greylisting'],
    ['qmail-greylisting', 451, '', 'GL - temporary problem, try again later (#4.3.0)', 'greylisting'],
    ['Stalwart', 422, '4.2.2', 'Greylisted, please try again in a few moments.', 'greylisting'],
    ['with seconds', 451, '4.3.0', 'Please try again in 300 seconds', 'greylisting', 300],
    ['a time alone', 450, '', 'Deferred for 120 seconds', 'greylisting', 120],
    ['421', 421, '4.7.0', 'Try again later, closing connection', 'pace'],
    ['Gmail rate', 450, '4.2.1', 'is receiving mail at a rate that prevents additional messages', 'pace'],
    ['Gmail 4.7.28', 421, '4.7.28', 'unusual rate of unsolicited mail', 'pace'],
    ['Microsoft', 451, '4.7.650', 'The mail server [x] has been temporarily limited', 'pace'],
    ['Microsoft busy', 451, '4.7.500', 'Server busy. Please try again later from [x]', 'pace'],
    ['Postfix anvil', 450, '4.7.1', 'Error: too much mail from 192.0.2.1', 'pace'],
    ['congestion', 451, '4.4.5', 'congested', 'pace'],
    ['rspamd ratelimit', 451, '4.7.1', 'Ratelimit "bounce_to_ip" exceeded', 'pace'],
    ['a policy without words', 450, '4.7.0', 'Not now', 'pace'],
    ['our reverse name, by its code', 450, '4.7.25', 'Client host rejected', 'pace'],
    ['one message without SPF', 450, '4.7.23', 'Not authorised for this domain', undefined],
    ['Postfix PTR', 450, '4.7.1', 'Client host rejected: cannot find your hostname, [x]', 'identity'],
    ['Postfix HELO', 450, '4.7.1', '<x>: Helo command rejected: Host not found', 'identity'],
    ['block list', 451, '4.7.1', 'Your address is listed at bl.example', 'identity'],
    ['nothing more', 451, '4.3.0', 'Local error in processing', undefined],
    ['a mailbox', 452, '4.2.2', 'Mailbox full', undefined],
    ['a final one', 550, '5.7.1', 'Greylisted', undefined],
    ['a success', 250, '2.0.0', 'Greylisted no more', undefined],
  ] as const)('%s: %i %s %s', (_who, code, enhanced, text, meaning, seconds?: number) => {
    const found = meaningOf(reply(code, enhanced, text));
    expect(found?.meaning).toBe(meaning);
    expect(found?.waitMs).toBe(seconds === undefined ? undefined : seconds * 1000);
  });

  it('reads a time that stands in any of the lines', () => {
    const found = meaningOf(reply(451, '4.7.1', 'Who are you?', 'Come back in 2 minutes'));
    expect(found).toEqual({ meaning: 'greylisting', waitMs: 2 * minute });
  });
});

describe('namedWait()', () => {
  test.each([
    ['try again in 300 seconds', 300_000],
    ['try again in 5 minutes', 5 * minute],
    ['wait 1 hour', 60 * minute],
    ['come back in 00:04:59', 299_000],
    ['retry after 30s', 30_000],
    ['delayed for 10 min', 10 * minute],
    ['at least 2 hrs', 120 * minute],
  ])('%s', (text, waitMs) => expect(namedWait(text)).toBe(waitMs));

  test.each([
    'you sent 300 messages today',
    '5 minutes',
    'port 25 in use',
    'in 5 moments',
    'in 400 hours',
    '',
  ])('finds no time to wait for in "%s"', (text) => {
    expect(namedWait(text)).toBeUndefined();
  });

  it('believes no time beyond its limit', () => {
    expect(namedWait('in 12 hours')).toBe(maxNamedWaitMs);
    expect(namedWait('in 13 hours')).toBeUndefined();
  });
});

describe('soundsLikeGreylisting()', () => {
  test.each([
    ['Greylisted', true],
    ['Please try again in 5 minutes', true],
    ['Please try again later', false],
    ['No such user', false],
  ])('%s: %s', (text, expected) => expect(soundsLikeGreylisting(text)).toBe(expected));
});
