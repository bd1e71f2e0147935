/** Faults of what is published of TLS on the way to us: MTA-STS, TLS-RPT, DANE. */

import { edit } from './edits.ts';
import type { Fault, Planting } from './fault.ts';

const tlsa = (model: Planting): string => `_25._tcp.${model.hostname}`;

export const transportFaults: readonly Fault[] = [
  {
    id: 'mta-sts-missing',
    what: 'the MTA-STS policy is not announced',
    plant(model) {
      delete model.zone[`_mta-sts.${model.domain}`];
    },
  },
  {
    id: 'mta-sts-syntax',
    what: 'the id of MTA-STS has a hyphen',
    plant: (model) => edit(model.zone, `_mta-sts.${model.domain}`, { TXT: ['v=STSv1; id=2026-01-01'] }),
  },
  {
    id: 'mta-sts-no-policy',
    what: 'the host of the MTA-STS policy is gone',
    plant(model) {
      delete model.zone[`mta-sts.${model.domain}`];
    },
  },
  {
    id: 'mta-sts-id-unchanged',
    what: 'MTA-STS announces the policy before',
    plant: (model) => edit(model.zone, `_mta-sts.${model.domain}`, { TXT: ['v=STSv1; id=20250101'] }),
    says: /20250101/,
  },
  {
    id: 'tls-rpt-missing',
    what: 'nobody is to get TLS reports',
    plant(model) {
      delete model.zone[`_smtp._tls.${model.domain}`];
    },
  },
  {
    id: 'tls-rpt-syntax',
    what: 'the record of TLS reports is mistyped',
    plant: (model) =>
      edit(model.zone, `_smtp._tls.${model.domain}`, { TXT: [`v=TLSRPTv1; rua=postmaster@${model.domain}`] }),
  },
  {
    id: 'dane-unsigned',
    what: 'there is a TLSA record in a zone that is not signed',
    plant(model) {
      edit(model.zone, tlsa(model), { TLSA: model.tlsKeys.map((key) => [3, 1, 1, key] as const) });
    },
  },
  {
    id: 'dane-mismatch',
    what: 'the TLSA record is that of the certificate before',
    plant(model) {
      model.isSigned = true;
      edit(model.zone, tlsa(model), { TLSA: [[3, 1, 1, '5a'.repeat(32)]] });
    },
  },
  {
    id: 'dane-parameters',
    what: 'the TLSA record is one for web sites',
    plant(model) {
      model.isSigned = true;
      edit(model.zone, tlsa(model), { TLSA: [[1, 1, 1, model.tlsKeys[0] ?? '']] });
    },
  },
  {
    id: 'dane-missing',
    what: 'the zone is signed, and DANE is not used',
    plant(model) {
      model.isSigned = true;
    },
  },
];
