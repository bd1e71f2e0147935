/**
 * What strangers publish about their mail, and write of it: SPF, DKIM and DMARC records, lists of tags, and the results that an ARC
 * set carries. Each read alone, so that a long one shows what reading costs.
 */

import { dmarcPass } from '../../src/authentication/arc-trust.ts';
import { withoutSignature } from '../../src/authentication/canonical-header.ts';
import { readDmarcRecord } from '../../src/authentication/dmarc-record.ts';
import { readKeyRecord, shownOctets } from '../../src/authentication/key-record.ts';
import { expandDomain, isMacroString } from '../../src/authentication/spf-macro.ts';
import { isSpfRecord, readSpfRecord } from '../../src/authentication/spf-record.ts';
import { readTags } from '../../src/authentication/tag-list.ts';
import { octetsOf, readTestdata, textsIn } from '../corpus.ts';
import { keyRecord, policyRecord, spfRecord } from '../grammar/sender-checks.ts';
import { between, demand, type Target } from './target.ts';

/** A DNS message holds no more. */
const longest = 60_000;
const textOf = (input: Buffer): string => input.toString('latin1').slice(0, longest);

const values = {
  sender: 'a.b-c@example.org',
  domain: 'mail.example.org',
  address: '192.0.2.1',
  dottedAddress: '192.0.2.1',
  version: 'in-addr',
  helo: 'client.example',
  validatedName: async () => 'unknown',
} as const;

const spf: Target = {
  name: 'spf-record',
  seeds: () => octetsOf(textsIn(readTestdata('spf/rfc7208-tests.json')).filter(isSpfRecord)),
  generate: (random) => Buffer.from(spfRecord(random), 'latin1'),
  read: (input) => readSpfRecord(textOf(input)),
  async check(input) {
    const text = textOf(input);
    const record = readSpfRecord(text);
    isSpfRecord(text);
    if ('problem' in record) return;
    for (const directive of record.directives) {
      if (!('domain' in directive) || directive.domain === undefined) continue;
      demand(isMacroString(directive.domain), 'a domain is no macro string');
      const name = await expandDomain(directive.domain, values);
      demand(name.length <= Math.max(253, longestLabel(name)), 'a name is longer than any');
    }
  },
  places: [
    between('v=spf1 '),
    between('v=spf1 a:'),
    between('v=spf1 exists:%{l', '}.x.y'),
    between('v=spf1 a/'),
  ],
};

const longestLabel = (name: string): number => Math.max(...name.split('.').map(({ length }) => length));

const key: Target = {
  name: 'key-record',
  seeds: () => octetsOf(textsIn(readTestdata('dkim/cases.json')).filter((text) => /(^|[; ])p=/.test(text))),
  generate: (random) => Buffer.from(keyRecord(random), 'latin1'),
  read: (input) => readKeyRecord(textOf(input)),
  check(input) {
    const { text } = readKeyRecord(textOf(input));
    demand(/^[\x20-\x7e]*$/.test(text), 'what is shown of a record is not plain');
    demand(text.length <= shownOctets + 3, 'too much of a record is shown');
  },
  places: [between('v=DKIM1; p='), between('v=DKIM1; '), between('h=', '; p=AAAA')],
};

const dmarc: Target = {
  name: 'dmarc-record',
  seeds: () => octetsOf(textsIn(readTestdata('dmarc/cases.json')).filter((text) => /DMARC1/.test(text))),
  generate: (random) => Buffer.from(policyRecord(random), 'latin1'),
  read: (input) => readDmarcRecord(textOf(input)),
  places: [between('v=DMARC1; '), between('v=DMARC1; rua='), between('v=DMARC1; rua=mailto:'), between('v')],
};

const tags: Target = {
  name: 'tag-list',
  seeds: () => octetsOf(textsIn(readTestdata('dkim/mox.json'), 'field', 'record')),
  read: (input) => readTags(input.toString('latin1')),
  check(input) {
    const { tags, problem } = readTags(input.toString('latin1'));
    demand((tags === undefined) !== (problem === undefined), 'neither tags nor a problem');
    const field = Buffer.concat([Buffer.from('DKIM-Signature: '), input]);
    const once = withoutSignature(field);
    demand(withoutSignature(once).equals(once), 'a signature is taken out in two steps');
  },
  places: [between('a=1; '), between('b='), between('a=1;', ';b=2')],
};

const arcResults: Target = {
  name: 'arc-results',
  seeds: () =>
    octetsOf([
      'mx.example; dmarc=pass header.from=example.org',
      'mx.example; spf=fail reason="a; dmarc=pass"; dmarc=pass (p=none (x)) header.from="a@example.org"',
      ...textsIn(readTestdata('arc/signing.json'), 'AAR'),
    ]),
  read: (input) => dmarcPass(input.toString('latin1')),
  places: [between('x; '), between('x; dmarc=pass '), between('x; ('), between('x; "')],
};

export const senderRecords: readonly Target[] = [spf, key, dmarc, tags, arcResults];
