/** Faults of signatures: of the zone's, of what the registrar says of its key, and of a resolver that does not look. RFC 4035. */

import { otherZoneKey, zoneKey } from '../dns-stage.ts';
import { edit } from './edits.ts';
import type { Fault, Planting } from './fault.ts';

const dayMs = 24 * 3_600_000;
/** Where nothing of the zone is proven, our own resolver finds nothing, either. */
const also = ['ptr-unknown', 'ehlo-unknown', 'spf-unknown'] as const;

/** A zone that is signed, with TLSA records. */
export function signed(model: Planting): void {
  model.isSigned = true;
  edit(model.zone, `_25._tcp.${model.hostname}`, {
    TLSA: model.tlsKeys.map((key) => [3, 1, 1, key] as const),
  });
}

/** As seen by who checks. */
function bogus(model: Planting): void {
  signed(model);
  model.resolver.isBogus = true;
}

export const dnssecFaults: readonly Fault[] = [
  {
    id: 'dnssec-ds-mismatch',
    what: 'the registrar has the DS record of another key',
    plant(model) {
      bogus(model);
      model.signing.ds = 'other';
    },
    also,
    says: /Replace the DS record.*IN {2}DS /s,
  },
  {
    id: 'dnssec-ds-mismatch',
    what: 'the domain was moved to servers that do not sign it, and the DS record was left',
    plant(model) {
      bogus(model);
      model.signing.both.shown = 'none';
    },
    also,
    says: /removed at the registrar/,
  },
  {
    id: 'dnssec-no-ds',
    what: 'the zone is signed, and the registrar was not told',
    plant(model) {
      model.isSigned = true;
      delete model.zone[`_25._tcp.${model.hostname}`];
      model.signing.ds = 'absent';
    },
    says: /IN {2}DS /,
  },
  {
    id: 'dane-unsigned',
    what: 'there is a TLSA record in a signed zone that the registrar was not told of',
    plant(model) {
      signed(model);
      model.signing.ds = 'absent';
    },
    also: ['dnssec-no-ds'],
    says: /no DS record/,
  },
  {
    id: 'dnssec-expired',
    what: 'the signatures have expired',
    plant(model) {
      bogus(model);
      model.signing.both = { beginsMs: -37 * dayMs, endsMs: -7 * dayMs };
    },
    also,
    says: /expired at \d{4}-/,
  },
  {
    id: 'dnssec-expired',
    what: 'the signatures are not valid yet',
    plant(model) {
      bogus(model);
      model.signing.both.beginsMs = dayMs;
    },
    also,
    says: /clock/,
  },
  {
    id: 'dnssec-expired',
    what: 'a name server has the zone with signatures that have expired',
    plant(model) {
      signed(model);
      model.signing.second = { beginsMs: -37 * dayMs, endsMs: -dayMs };
    },
    says: /ns2/,
  },
  {
    id: 'dnssec-expires',
    what: 'the signatures end in two hours',
    plant(model) {
      signed(model);
      model.signing.both = { beginsMs: -30 * dayMs, endsMs: dayMs / 12 };
    },
    says: /in \d hours/,
  },
  {
    id: 'dnssec-bogus',
    what: 'the records are signed by a key that the zone does not have',
    plant(model) {
      bogus(model);
      model.signing.both = { key: otherZoneKey(), shown: zoneKey() };
    },
    also,
    says: /none of the zone's/,
  },
  {
    id: 'dnssec-bogus',
    what: 'a record was changed after the zone was signed',
    plant(model) {
      signed(model);
      const place = `_dmarc.${model.domain} TXT`;
      model.signing.both.broken = [place];
      model.resolver.bogusAt.push(place);
    },
    says: /TXT of _dmarc\..*not what was signed/,
  },
  {
    id: 'dnssec-bogus',
    what: 'the TLSA record has no signature',
    plant(model) {
      signed(model);
      const place = `_25._tcp.${model.hostname} TLSA`;
      model.signing.both.unsigned = [place];
      model.resolver.bogusAt.push(place);
    },
    says: /TLSA of .*no signature/,
  },
  {
    id: 'dnssec-bogus',
    what: 'that a record is not there is proven wrongly',
    plant(model) {
      signed(model);
      model.resolver.bogusAt.push(`${model.hostname} CNAME`);
    },
    says: /CNAME of .*SERVFAIL/,
  },
  {
    id: 'resolver-unvalidating',
    what: 'the resolver checks no signatures, in a zone that is signed',
    plant(model) {
      signed(model);
      model.resolver.isBlind = true;
    },
    says: /unbound/,
  },
  {
    id: 'resolver-unvalidating',
    what: 'the resolver checks no signatures',
    plant(model) {
      model.resolver.isBlind = true;
    },
    says: /unbound/,
  },
];
