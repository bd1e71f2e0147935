/** Signed replies of DNS: the records in the form that signatures are made over, and what the signatures are worth. */

import { readFileSync } from 'node:fs';
import { keysIn, recordSetsOf, verdictOn } from '../../src/dns/dnssec.ts';
import { readWireAnswers } from '../../src/dns/wire-records.ts';
import { demand, type Target } from './target.ts';

const file = new URL('../../testdata/dnssec/replies.json', import.meta.url);
const during = Date.parse('2026-07-01');

function seeds(): Buffer[] {
  const signed: Record<string, { replies: Record<string, string> }> = JSON.parse(readFileSync(file, 'utf8'));
  return Object.values(signed).flatMap(({ replies }) =>
    Object.values(replies).map((reply) => Buffer.from(reply, 'base64')),
  );
}

function read(input: Buffer): void {
  const records = readWireAnswers(input);
  if (records === undefined) return;
  for (const { owner, data } of records) {
    demand(owner.length <= 255, `a name of ${owner.length} octets`);
    demand(data.length <= input.length + 2 * 255, 'data that are longer than the message that they are in');
  }
  const sets = recordSetsOf(records);
  const keys = sets.flatMap((set) => keysIn(set));
  for (const set of sets.slice(0, 20)) verdictOn(set, keys, during);
}

export const dnsSignatures: Target = { name: 'dns-signatures', seeds, read };
