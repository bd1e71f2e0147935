/**
 * The sender checks as a whole, with all that the library behind them does: a message from outside, and a DNS in which
 * every name has the records that the input gives. Parts, between record separators: SPF record, DKIM key, DMARC record,
 * reverse-path, HELO name, message.
 */

import { checkSender } from '../../src/authentication/check.ts';
import { authenticationResults } from '../../src/authentication/results.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from '../../src/dns/resolver.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { decideByDefault } from '../../src/testing/decide.ts';
import { systemClock } from '../../src/util/clock.ts';
import { readTestdata, textsIn } from '../corpus.ts';
import { body } from '../grammar/messages.ts';
import { incoming } from '../grammar/sender-checks.ts';
import { packetsOf } from '../packets.ts';
import { between, demand, type Target } from './target.ts';

/** A DNS message holds no more. */
const longestRecord = 60_000;

interface Records {
  spf: string;
  key: string;
  policy: string;
}

const found = <T>(...records: T[]): Answer<T> => ({ status: 'found', records, ttl: 60, authentic: false });
const none = { status: 'none', reason: 'nodata', ttl: 60, authentic: false } as const;

function resolverOf(records: Records): Resolver {
  const answers: { [Type in RecordType]?: (name: string) => Answer<RecordTypes[Type]> } = {
    A: (name) => (name.length % 3 === 0 ? none : found('192.0.2.7', '192.0.2.8')),
    MX: () =>
      found(
        ...Array.from({ length: 12 }, (_, number) => ({
          preference: number,
          exchange: `mx${number}.example.org`,
        })),
      ),
    PTR: () => found('mx.example.org', 'other.example'),
    TXT: (name) => found([textFor(name, records)]),
  };
  return {
    async resolve(name, type) {
      return answers[type]?.(name) ?? none;
    },
  };
}

function textFor(name: string, { spf, key, policy }: Records): string {
  if (name.includes('_domainkey')) return key;
  return name.startsWith('_dmarc') ? policy : spf;
}

async function read(input: Buffer) {
  const [spf, key, policy, reversePath, helo, message = Buffer.alloc(0)] = packetsOf(input, 6);
  const text = (part: Buffer = Buffer.alloc(0)) => part.toString('latin1').slice(0, longestRecord);
  return checkSender(
    {
      resolver: resolverOf({ spf: text(spf), key: text(key), policy: text(policy) }),
      clock: systemClock,
      trustedSealers: ['example.org'],
      hostname: 'mx.example.net',
    },
    {
      clientAddress: '192.0.2.1',
      helo: text(helo),
      reversePath: text(reversePath),
      message,
    },
  );
}

async function check(input: Buffer): Promise<void> {
  const verdicts = await read(input);
  decideByDefault(verdicts);
  const field = authenticationResults(verdicts, 'mx.example.net');
  const { fields, malformed } = parseHeader(Buffer.from(field));
  demand(fields.length === 1 && malformed === undefined, 'the results are not one field');
  demand(/^[\t\r\n\x20-\x7e]*$/.test(field), 'the results are not plain ASCII');
  demand(
    field.split('\r\n').every(({ length }) => length <= 998),
    'a line of the results is too long',
  );
}

const parts = (spf: string, key: string, policy: string, message: string): Buffer =>
  Buffer.from([spf, key, policy, 'bob@example.org', 'mx.example.org', message].join('\x1e'), 'latin1');

const letter = 'From: bob@example.org\r\nTo: a@example.net\r\n\r\nHello.\r\n';

/** Of most chains of the suite. */
const arcKey =
  'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB';

function seeds(): Buffer[] {
  const spf = textsIn(readTestdata('spf/rfc7208-tests.json')).filter((text) => /^v=spf1/i.test(text));
  const policies = textsIn(readTestdata('dmarc/cases.json')).filter((text) => text.startsWith('v=DMARC1'));
  const signed = readTestdata('dkim/cases.json');
  const keys = textsIn(signed).filter((text) => /(^|[; ])p=/.test(text));
  const messages = textsIn(signed, 'message_b64').map((text) =>
    Buffer.from(text, 'base64').toString('latin1'),
  );
  const chains = textsIn(readTestdata('arc/validation.json'), 'message').map((text) =>
    text.replace(/\r?\n/g, '\r\n'),
  );
  return [
    ...chains.map((message) => parts('v=spf1 a -all', arcKey, 'v=DMARC1; p=reject', message)),
    ...spf.map((record) => parts(record, '', '', letter)),
    ...policies.map((record) => parts('v=spf1 -all', '', record, letter)),
    ...messages.map((message, index) =>
      parts('v=spf1 a -all', keys[index] ?? '', 'v=DMARC1; p=reject', message),
    ),
  ];
}

const signature =
  'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=sel; h=from:to; bh=AAAA; b=AAAA';
const prefix = (message: string) =>
  between(`v=spf1 mx -all\x1e\x1e\x1ebob@example.org\x1emx.example.org\x1e${message}`);

export const checkSenderTarget: Target = {
  name: 'check-sender',
  seeds,
  generate: (random) => incoming(random, body(random)),
  read,
  check,
  places: [
    between('v=spf1 ', `\x1e\x1e\x1ebob@example.org\x1emx.example.org\x1e${letter}`),
    between('v=spf1 exists:', `\x1e\x1e\x1ebob@example.org\x1emx.example.org\x1e${letter}`),
    between(
      'v=spf1 -all\x1ev=DKIM1; p=',
      `\x1e\x1ebob@example.org\x1emx.example.org\x1e${signature}\r\n${letter}`,
    ),
    between(
      'v=spf1 -all\x1ev=DKIM1; ',
      `\x1e\x1ebob@example.org\x1emx.example.org\x1e${signature}\r\n${letter}`,
    ),
    between('v=spf1 -all\x1e\x1ev=DMARC1; p=reject; ', `\x1ebob@example.org\x1emx.example.org\x1e${letter}`),
    between('v=spf1 -all\x1e\x1e\x1e', `\x1emx.example.org\x1e${letter}`),
    prefix('From: '),
    prefix(`${signature}; `),
    prefix('ARC-Seal: i=1; cv=none; '),
    prefix('ARC-Authentication-Results: i=1; '),
    prefix(`${signature}\r\nFrom: bob@example.org\r\nTo: `),
    prefix(`${signature}\r\n${letter}`),
  ],
};
