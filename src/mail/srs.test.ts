import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';
import { isRewritten, maxDays, type Reversal, reverse, rewrite } from './srs.ts';

const day = 24 * 3600_000;
const secret = Buffer.from('a secret');
const now = Date.UTC(2026, 10, 27);
const domain = 'forwarder.example';

function rewritten(sender: string, { at = now, by = domain }: { at?: number; by?: string } = {}): string {
  const address = parseAddress(sender);
  const made = address && rewrite(address, { secret, domain: by, now: at });
  return made ? formatAddress(made) : 'none';
}

function back(address: string, options: { at?: number; secrets?: Buffer[] } = {}): string {
  const { at = now, secrets = [secret] } = options;
  const { localPart } = parseAddress(address) ?? { localPart: '' };
  const reversal: Reversal = reverse(localPart, { secrets, now: at });
  return reversal.kind === 'valid' ? formatAddress(reversal.sender) : reversal.kind;
}

describe('rewrite() and reverse()', () => {
  test.each([
    'ann@example.net',
    'ann=x@example.net',
    'a+b-c@sub.example.net',
    '"ann smith"@example.net',
    '"a\\"b"@example.net',
    'jürgen@xn--bcher-kva.example',
    'ann@[192.0.2.1]',
    '""@example.net',
    'SRS1==*==@example.net',
  ])('find back to %s', (sender) => {
    const made = rewritten(sender);
    expect(made).toMatch(/^"?SRS0=[a-z2-7]{8}=[a-z2-7]{2}=.*@forwarder\.example$/);
    expect(isRewritten(parseAddress(made)?.localPart ?? '')).toBe(true);
    expect(back(made)).toBe(sender);
  });

  test('do so whatever became of upper and lower case on the way', () => {
    const made = rewritten('ann@example.net');
    expect(back(made.toLowerCase())).toBe('ann@example.net');
    expect(back(made.toUpperCase())).toBe('ANN@example.net');
  });

  test('SRS of SRS: a bounce goes past all between to the first forwarder, who knows the sender', () => {
    const first = rewritten('ann@example.net', { by: 'first.example' });
    const second = rewritten(first, { by: 'second.example' });
    expect(second).toMatch(
      /^SRS1=[a-z2-7]{8}=first\.example==[a-z2-7]{8}=[a-z2-7]{2}=example\.net=ann@second\.example$/,
    );
    const third = rewritten(second, { by: 'third.example' });
    expect(third).toMatch(/^SRS1=[a-z2-7]{8}=first\.example==.*=ann@third\.example$/);
    expect([back(third), back(second)]).toEqual([first, first]);
    expect(back(first)).toBe('ann@example.net');
  });

  test.each([
    ['another hash', (made: string) => made.replace(/=(.)/, (_, first) => (first === 'a' ? '=b' : '=a'))],
    ['a shorter hash', (made: string) => made.replace(/=./, '=')],
    ['another user', (made: string) => made.replace('=ann@', '=eve@')],
    ['another domain', (made: string) => made.replace('example.net', 'example.org')],
    [
      'another day',
      (made: string) =>
        made.replace(/^(SRS0=\w+=)(.)/, (_, head, first) => `${head}${first === 'a' ? 'b' : 'a'}`),
    ],
    ['SRS1 instead', (made: string) => made.replace('SRS0', 'SRS1')],
    ['nothing', () => `SRS0=@${domain}`],
    ['no SRS at all', () => `ann@${domain}`],
  ])('%s is forged', (_what, change) => {
    expect(back(change(rewritten('ann@example.net')))).toBe('forged');
  });

  // `j7` is a day; the hash would be good for an address of the sender's choice, and for as long.
  test.each([
    'SRS1=x=j7=victim.example=bob@evil.example',
    'SRS1=x=j7==victim.example=bob@evil.example',
    'SRS1=x=j7=+victim.example=bob@evil.example',
    'SRS0=victim.example=bob@j7',
  ])('of %s no SRS0 can be made that we have not made', (sender) => {
    const made = rewritten(sender);
    if (made.startsWith('SRS1')) expect(back(made.replace('SRS1', 'SRS0'))).toBe('forged');
    expect(back(made)).toMatch(/@(evil\.example|j7)$/);
  });

  test('holds for so many days, also over the end of their count', () => {
    const last = (1024 * 20 - 1) * day;
    const made = rewritten('ann@example.net', { at: last });
    expect(back(made, { at: last + maxDays * day })).toBe('ann@example.net');
    expect(back(made, { at: last + (maxDays + 1) * day })).toBe('expired');
    expect(back(made, { at: last - 2 * day })).toBe('ann@example.net');
  });

  test('any of the secrets will do, and no other', () => {
    const made = rewritten('ann@example.net');
    expect(back(made, { secrets: [Buffer.from('newer'), secret] })).toBe('ann@example.net');
    expect(back(made, { secrets: [Buffer.from('newer')] })).toBe('forged');
    expect(back(made, { secrets: [] })).toBe('forged');
  });

  test('makes none that would be longer than a local part may be (RFC 5321 §4.5.3.1.1)', () => {
    expect(rewritten(`${'a'.repeat(30)}@${'b'.repeat(30)}.example`)).toBe('none');
    expect(rewritten(`${'a'.repeat(20)}@example.net`)).not.toBe('none');
  });

  test('whatever stands there is read without a throw', () => {
    const letters = 'sSrR01=-+@."\\ ab7ü\u0000';
    let state = 1;
    const next = () => (state = (state * 48_271) % 2_147_483_647);
    for (let count = 0; count < 3000; count++) {
      const length = next() % 40;
      const noise = Array.from({ length }, () => letters[next() % letters.length]).join('');
      expect(reverse(`SRS${next() % 2}=${noise}`, { secrets: [secret], now }).kind).toBe('forged');
    }
  });
});
