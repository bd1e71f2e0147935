/** Header sections: read octet for octet, completed, judged, cut for their signatures and quoted in reports. */

import { findAuthor } from '../../src/authentication/author.ts';
import { relaxedField } from '../../src/authentication/canonical-header.ts';
import { isForgedResults } from '../../src/authentication/results.ts';
import { SignedHeader } from '../../src/authentication/signed-header.ts';
import { composeFailureReport } from '../../src/dsn/failure-report.ts';
import { isDeliveryReport } from '../../src/dsn/recognise.ts';
import { authorDomain } from '../../src/mail/author-domain.ts';
import { completeHeader } from '../../src/mail/complete.ts';
import { fieldValue, findFields, findHeaderEnd, type Header, parseHeader } from '../../src/mail/header.ts';
import { checkSubmittedHeader } from '../../src/mail/submission-rules.ts';
import { findLoop } from '../../src/reception/loops.ts';
import { octetsOf, readTestdata, textsIn } from '../corpus.ts';
import { message } from '../grammar/messages.ts';
import type { Random } from '../random.ts';
import { checkReport } from './smtp-replies.ts';
import { between, demand, type Target } from './target.ts';

const common = {
  seeds: () => octetsOf(textsIn(readTestdata('mime/headers.json'), 'header')),
  generate: (random: Random) => Buffer.from(message(random), 'latin1'),
};

const noFailure = {
  hostname: 'mx.example.net',
  queueId: 'Q',
  arrivedAt: 0,
  from: 'postmaster@example.net',
  sender: 'me@example.net',
  failures: [],
  now: 0,
  messageId: '<1@mx.example.net>',
};

/** Nothing is lost, and the end is found in the same place by both who look for it. */
function checkStructure(input: Buffer): void {
  const { fields, separator, bodyOffset } = parseHeader(input);
  const again = Buffer.concat([...fields.map(({ raw }) => raw), separator]);
  demand(again.equals(input.subarray(0, bodyOffset)), 'the header is not what was read');
  demand(
    findHeaderEnd(input) === (separator.length > 0 ? bodyOffset : undefined),
    'the header ends in two places',
  );
  for (const { raw } of fields) demand(!relaxedField(raw).includes('\n'), 'a canonical field has a line end');
  checkReport(composeFailureReport({ ...noFailure, header: input.subarray(0, bodyOffset) }));
}

const headerStructure: Target = {
  ...common,
  name: 'header',
  read: parseHeader,
  check: checkStructure,
  places: [between('A: '), between('A'), between('A:\r\n '), between('A: b\r\n')],
};

const relaxed = {
  names: ['from', 'to', 'dkim-signature', 'from', 'x'],
  canonicalization: { header: 'relaxed' },
} as const;

/** Whose it is and what is signed, as for every message from outside. */
function readInbound(input: Buffer): Header {
  const header = parseHeader(input);
  findAuthor(header.fields);
  const signed = new SignedHeader(header.fields);
  for (const field of findFields(header.fields, 'dkim-signature').slice(0, 10))
    signed.covered(field, relaxed);
  return header;
}

const headerInbound: Target = {
  ...common,
  name: 'header-inbound',
  read: readInbound,
  check(input) {
    const header = readInbound(input);
    findLoop(header, []);
    isDeliveryReport(header.fields);
    for (const field of header.fields) isForgedResults(fieldValue(field), 'mx.example.net');
  },
  places: [between('From: '), between('From: a <'), between('From: "'), between('DKIM-Signature: v=1; h=')],
};

/** One field that says who checked a message; its name is what counts. */
const results: Target = {
  name: 'results-field',
  seeds: () =>
    octetsOf(['mx.example.net; spf=pass', 'mx (a (b)) 1; x', '"mx.example.net" 1', 'example.org 1; none']),
  read: (input) => isForgedResults(input.toString('latin1'), 'mx.example.net'),
  places: [between('"'), between('('), between('a '), between('mx.example.net')],
};

/** One field that says what kind of message this is. */
const contentType: Target = {
  name: 'content-type',
  seeds: () =>
    octetsOf([
      'multipart/report; report-type=delivery-status; boundary=b',
      'multipart/report;report-type="delivery-status"',
    ]),
  read: (input) =>
    isDeliveryReport([{ name: 'content-type', raw: Buffer.concat([Buffer.from('Content-Type: '), input]) }]),
  places: [between('multipart/report;'), between('multipart/report; report-type')],
};

const headerSubmitted: Target = {
  ...common,
  name: 'header-submitted',
  read: (input) => checkSubmittedHeader(parseHeader(input), { smtputf8: true, mayUse: () => true }),
  check(input) {
    const header = parseHeader(input);
    checkSubmittedHeader(header, { smtputf8: false, mayUse: () => false });
    authorDomain(header);
  },
  places: [between('From: '), between('From: a <'), between('From: "')],
};

const completion = { from: 'me@example.net', date: 0, messageId: '<1@mx>' };

const headerCompleted: Target = {
  ...common,
  name: 'header-completed',
  read: (input) => completeHeader(input, completion),
  check(input) {
    const { prefix, header } = completeHeader(input, completion);
    const { fields } = parseHeader(Buffer.concat([prefix, header]));
    demand(findFields(fields, 'bcc').length === 0, 'a blind copy is told');
    demand(findFields(fields, 'date').length > 0, 'a date is missing');
  },
  places: [between('Bcc: ')],
};

export const headers: readonly Target[] = [
  headerStructure,
  headerInbound,
  headerSubmitted,
  headerCompleted,
  results,
  contentType,
];
