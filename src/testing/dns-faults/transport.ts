/** Faults of what is published of TLS on the way to us: MTA-STS, TLS-RPT, DANE. */

import { edit, move } from './edits.ts';
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
    needsUnsigned: true,
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
      delete model.zone[tlsa(model)];
    },
  },
  {
    id: 'mta-sts-missing',
    what: 'the MTA-STS policy is announced without the underscore',
    plant(model) {
      const name = `_mta-sts.${model.domain}`;
      const { TXT } = model.zone[name] ?? {};
      delete model.zone[name];
      model.zone[`mta-sts.${model.domain}`] = { A: [model.four], ...(TXT && { TXT }) };
    },
    says: /underscore|instead of/,
  },
  {
    id: 'mta-sts-syntax',
    what: 'MTA-STS is announced twice',
    plant: (model) =>
      edit(model.zone, `_mta-sts.${model.domain}`, { TXT: ['v=STSv1; id=1', 'v=STSv1; id=2'] }),
    says: /several/,
  },
  {
    id: 'mta-sts-no-policy',
    what: 'the host of the MTA-STS policy is another machine',
    plant(model) {
      model.zone[`mta-sts.${model.domain}`] = { A: [model.places.nobody] };
    },
    says: /lead here.*CNAME/s,
  },
  {
    id: 'tls-rpt-missing',
    what: 'the record of TLS reports has its names the wrong way round',
    plant: (model) => move(model, `_smtp._tls.${model.domain}`, `_tls._smtp.${model.domain}`),
    says: /_tls\._smtp/,
  },
  {
    id: 'tls-rpt-syntax',
    what: 'there are two records of TLS reports',
    plant: (model) =>
      edit(model.zone, `_smtp._tls.${model.domain}`, {
        TXT: [`v=TLSRPTv1; rua=mailto:postmaster@${model.domain}`, 'v=TLSRPTv1; rua=mailto:a@old.example'],
      }),
    says: /several/,
  },
  {
    id: 'mailbox-missing',
    what: 'TLS reports go to an address that nobody has',
    plant: (model) =>
      edit(model.zone, `_smtp._tls.${model.domain}`, {
        TXT: [`v=TLSRPTv1; rua=mailto:tlsrtp@${model.domain}`],
      }),
    says: /tlsrtp/,
  },
  {
    id: 'dane-mismatch',
    what: 'the TLSA record has the hash of the key, and says certificate',
    plant(model) {
      model.isSigned = true;
      edit(model.zone, tlsa(model), { TLSA: [[3, 0, 1, model.tlsKeys[0] ?? '']] });
    },
    says: /second number/,
  },
  {
    id: 'dane-missing',
    what: 'the TLSA record stands at the port of web sites',
    plant(model) {
      model.isSigned = true;
      delete model.zone[tlsa(model)];
      model.zone[`_443._tcp.${model.hostname}`] = { TLSA: [[3, 1, 1, model.tlsKeys[0] ?? '']] };
    },
    says: /_443/,
  },
  {
    id: 'dane-unanswered',
    what: 'the name servers fail at TLSA',
    plant(model) {
      model.isSigned = true;
      model.failsAt.push('TLSA');
    },
  },
  {
    id: 'caa-unanswered',
    what: 'the name servers fail at CAA',
    plant(model) {
      model.failsAt.push('CAA');
    },
    needsCaa: true,
  },
  {
    id: 'caa-forbids',
    what: 'CAA lets nobody issue',
    plant: (model) => edit(model.zone, model.hostname, { CAA: [[0, 'issue', ';']] }),
    needsCaa: true,
    says: /nobody/,
  },
  {
    id: 'caa-forbids',
    what: 'CAA of the domain names the authority before',
    plant(model) {
      edit(model.zone, model.hostname, { CAA: undefined });
      edit(model.zone, model.domain, { CAA: [[0, 'issue', 'old-ca.example']] });
    },
    needsCaa: true,
    says: /old-ca\.example/,
  },
];
