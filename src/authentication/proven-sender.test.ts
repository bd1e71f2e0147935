import { describe, expect, test } from 'vitest';
import { isSenderProven } from './proven-sender.ts';
import type { DmarcVerdict, SpfVerdict } from './verdicts.ts';

const spf = (result: SpfVerdict['result'], scope: SpfVerdict['scope'] = 'mailfrom'): SpfVerdict => ({
  result,
  scope,
  domain: 'news.example.com',
  reason: '',
});

const dmarc = (result: DmarcVerdict['result'], domain = '', organizationalDomain?: string): DmarcVerdict => ({
  result,
  domain,
  ...(organizationalDomain !== undefined && { organizationalDomain }),
  policies: [],
  aligned: { spf: false, dkim: result === 'pass' },
  reason: '',
});

describe('isSenderProven()', () => {
  test.each([
    ['an SPF pass', spf('pass'), dmarc('none'), true],
    ['an SPF pass where DMARC fails', spf('pass'), dmarc('fail', 'example.org'), true],
    ['an SPF pass for the HELO name', spf('pass', 'helo'), dmarc('none'), false],
    ['an SPF softfail', spf('softfail'), dmarc('none'), false],
    ['DMARC for the same domain', spf('none'), dmarc('pass', 'news.example.com'), true],
    ['DMARC for the same organization', spf('fail'), dmarc('pass', 'www.example.com', 'example.com'), true],
    ['DMARC for another author', spf('fail'), dmarc('pass', 'evil.example'), false],
    ['DMARC for a name that only ends alike', spf('fail'), dmarc('pass', 'ample.com'), false],
    ['DMARC that fails', spf('none'), dmarc('fail', 'news.example.com'), false],
  ])('duty-3: %s', (_, spfVerdict, dmarcVerdict, proven) => {
    expect(isSenderProven({ spf: spfVerdict, dmarc: dmarcVerdict }, 'a@news.example.com')).toBe(proven);
  });
});
