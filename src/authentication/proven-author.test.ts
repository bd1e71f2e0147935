import { expect, test } from 'vitest';
import { provenAuthor } from './proven-author.ts';
import type { DkimVerdict, Verdicts } from './verdicts.ts';

const signature = (domain: string, result: DkimVerdict['result'] = 'pass') => ({
  domain,
  result,
  aligned: false,
});

function known(spf: string, dkim: ReturnType<typeof signature>[], author = 'mail.a.example') {
  const verdicts = {
    spf: { result: spf === '' ? 'fail' : 'pass', domain: spf },
    dkim,
    dmarc: { domain: author, aligned: { spf: false, dkim: false } },
  };
  return verdicts as unknown as Pick<Verdicts, 'spf' | 'dkim' | 'dmarc'>; // as much of them as is looked at
}

test.each([
  ['a signature of the author domain', known('', [signature('mail.a.example')]), 'mail.a.example', true],
  ['a signature of the domain above', known('', [signature('a.example')]), 'mail.a.example', true],
  ['a signature of a domain below', known('', [signature('x.mail.a.example')]), 'mail.a.example', true],
  ['SPF', known('a.example', []), 'mail.a.example', false],
  ['a signature that fails', known('', [signature('a.example', 'fail')]), '', false],
  [
    'a signature over a part',
    known('', [{ ...signature('a.example'), ...{ unsignedOctets: 9 } }]),
    '',
    false,
  ],
  ['a stranger', known('b.example', [signature('b.example')]), '', false],
  ['a domain whose name ends alike', known('notmail.a.example', [], 'a.a.example'), '', false],
  ['a top-level domain', known('example', [signature('example')]), '', false],
  ['no author domain', known('a.example', [signature('a.example')], ''), '', false],
])('provenAuthor() with %s', (_, verdicts, domain, signed) => {
  expect(provenAuthor(verdicts)).toEqual({ domain, signed });
});
