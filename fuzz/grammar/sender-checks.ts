/** What senders and their DNS say about themselves: SPF, DKIM and DMARC records, and signatures. */

import type { Random } from '../random.ts';
import { headerField } from './messages.ts';

const mechanisms = [
  'all',
  '-all',
  '~all',
  '?all',
  '+mx',
  'a',
  'a:example.org/24//64',
  'mx:%{d}',
  'ip4:192.0.2.0/24',
  'ip4:192.0.2.7',
  'ip6:2001:db8::/32',
  'ip4:x',
  'include:other.example',
  'include:%{i}.%{v}.%{d2r-.}',
  'exists:%{ir}.%{l}._spf.%{o}',
  'ptr',
  'ptr:example.org',
  'redirect=other.example',
  'exp=why.%{d}',
  'exists:%{L}%%%_%-%{p}',
  '%{',
  'a:%{d99r}',
  'unknown=x',
  'include:',
  'a/33',
  'mx//129',
  '',
]; // prettier-ignore

export function spfRecord(random: Random): string {
  return [
    random.pick(['v=spf1', 'v=spf1', 'V=SPF1', 'v=spf10']),
    ...random.some(14, () => random.pick(mechanisms)),
  ].join(random.pick([' ', ' ', '  ']));
}

const rsaKey =
  'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB';
const ed25519Key = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

const tags = (random: Random, choices: readonly string[]): string =>
  random.some(9, () => random.pick(choices)).join(random.pick(['; ', ';', ' ; ', ';;']));

const keyTags = [
  'v=DKIM1',
  'k=rsa',
  'k=ed25519',
  `p=${rsaKey}`,
  `p=${ed25519Key}`,
  'p=',
  't=y',
  't=s',
  'h=sha256',
  's=email',
  'n=note',
  'p=AAAA',
  '=',
  'p',
];
export const keyRecord = (random: Random): string =>
  random.oneIn(2) ? `v=DKIM1; k=rsa; p=${rsaKey}` : tags(random, keyTags);

const policyTags = [
  'v=DMARC1',
  'p=reject',
  'p=none',
  'p=quarantine',
  'sp=none',
  'np=reject',
  'adkim=s',
  'aspf=r',
  't=y',
  'psd=y',
  'psd=n',
  'pct=50',
  'rua=mailto:a@b',
  'ruf=',
  'fo=1:d:s',
  'p=x',
  '=',
];
export const policyRecord = (random: Random): string =>
  random.oneIn(3) ? tags(random, policyTags) : `v=DMARC1; p=reject; ${tags(random, policyTags)}`;

const signatureTags = [
  'v=1',
  'a=rsa-sha256',
  'a=ed25519-sha256',
  'a=rsa-sha1',
  'c=relaxed/relaxed',
  'c=simple/simple',
  'c=x',
  'd=example.org',
  'd=other.example',
  's=sel',
  's=',
  'h=from:to:subject',
  'h=From : From',
  'h=',
  'bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'bh=AAAA',
  'l=0',
  'l=99999999999',
  'l=-1',
  't=1',
  'x=1',
  'x=99999999999',
  'i=@example.org',
  'i=a@b@c',
  'q=dns/txt',
  'z=From:a|To:b',
  'b=AAAA',
  'b=',
  `b=${'A'.repeat(172)}`,
]; // prettier-ignore

function signature(random: Random): string {
  const core = random.oneIn(3)
    ? ''
    : 'v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=sel; h=from:to; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA; ';
  return `DKIM-Signature: ${core}${tags(random, signatureTags)}\r\n`;
}

const sealTags = ['i=1', 'i=2', 'i=51', 'i=', 'cv=none', 'cv=pass', 'cv=fail', 'cv=', 'h=from'];

/** One set, or nearly so. */
function arcSet(random: Random): string {
  const instance = random.pick(['1', '1', '2', '3', '50', '51', '01', 'x']);
  const tagsOf = (choices: readonly string[]) =>
    `i=${instance}; a=rsa-sha256; d=example.org; s=sel; b=AAAA; ${tags(random, choices)}`;
  const fields = [
    `ARC-Seal: ${tagsOf(sealTags)}; cv=${instance === '1' ? 'none' : 'pass'}\r\n`,
    `ARC-Message-Signature: ${tagsOf(signatureTags)}; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n`,
    `ARC-Authentication-Results: i=${instance}; mx.example; dmarc=pass header.from=example.org\r\n`,
  ];
  return random.oneIn(4) ? random.pick(fields) : fields.join('');
}

/** The parts that targets/check-sender.ts reads, in its order. */
export function incoming(random: Random, body: string): Buffer {
  const from = random.oneIn(4) ? headerField(random) : 'From: Bob <bob@example.org>\r\n';
  const header =
    random.some(3, () => signature(random)).join('') +
    (random.oneIn(2) ? random.some(4, () => arcSet(random)).join('') : '') +
    from +
    random.some(3, () => headerField(random)).join('');
  const parts = [
    spfRecord(random),
    keyRecord(random),
    policyRecord(random),
    random.pick([
      'bob@example.org',
      '',
      'a@b@c',
      `${'x'.repeat(70)}@example.org`,
      '"a b"@example.org',
      'bob',
    ]),
    random.pick(['mx.example.org', '[192.0.2.1]', '', 'ü', 'a..b']),
    `${header}\r\n${body}`,
  ];
  return Buffer.from(parts.join('\x1e'), 'latin1');
}
