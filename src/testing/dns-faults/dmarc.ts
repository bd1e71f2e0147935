/** Faults of the DMARC record (RFC 9989), and of where its reports go. */

import { edit, move, textAt } from './edits.ts';
import type { Fault, Planting } from './fault.ts';

const dmarc = (text: string | readonly string[]) => (model: Planting) =>
  edit(model.zone, `_dmarc.${model.domain}`, { TXT: [text].flat() });

export const dmarcFaults: readonly Fault[] = [
  {
    id: 'dmarc-missing',
    what: 'there is no DMARC record',
    plant(model) {
      delete model.zone[`_dmarc.${model.domain}`];
    },
  },
  {
    id: 'dmarc-misplaced',
    what: 'the DMARC record stands at a name with the domain twice',
    plant: (model) => move(model, `_dmarc.${model.domain}`, `_dmarc.${model.domain}.${model.domain}`),
    says: /adds the domain/,
  },
  {
    id: 'dmarc-misplaced',
    what: 'the DMARC record stands at the domain itself',
    plant(model) {
      const text = textAt(model, `_dmarc.${model.domain}`);
      edit(model.zone, model.domain, { TXT: [textAt(model, model.domain), text] });
      delete model.zone[`_dmarc.${model.domain}`];
    },
  },
  {
    id: 'dmarc-two-records',
    what: 'there are two DMARC records',
    plant: dmarc(['v=DMARC1; p=none', 'v=DMARC1; p=reject']),
  },
  {
    id: 'dmarc-syntax',
    what: 'a DMARC policy is mistyped',
    plant: dmarc('v=DMARC1; p=quarantaine'),
    says: /quarantaine/,
  },
  { id: 'dmarc-syntax', what: 'the version of DMARC is mistyped', plant: dmarc('v=DMARC; p=none') },
  {
    id: 'dmarc-syntax',
    what: 'mailto: is missing in DMARC',
    plant: (model) => dmarc(`v=DMARC1; p=quarantine; rua=postmaster@${model.domain}`)(model),
    says: /mailto/,
  },
  { id: 'dmarc-no-reports', what: 'DMARC names nobody to report to', plant: dmarc('v=DMARC1; p=quarantine') },
  {
    id: 'dmarc-policy-none',
    what: 'DMARC asks for nothing yet',
    plant: (model) => dmarc(`v=DMARC1; p=none; rua=mailto:postmaster@${model.domain}`)(model),
  },
  {
    id: 'dmarc-rua-unauthorized',
    what: 'DMARC reports go to a domain that has not agreed',
    plant: dmarc('v=DMARC1; p=quarantine; rua=mailto:me@reports.example'),
    says: /reports\.example/,
  },
  {
    id: 'dmarc-pct',
    what: 'DMARC has pct=',
    plant: (model) => dmarc(`v=DMARC1; p=quarantine; pct=50; rua=mailto:postmaster@${model.domain}`)(model),
  },
  {
    id: 'mailbox-missing',
    what: 'reports go to an address that nobody has',
    plant: (model) => dmarc(`v=DMARC1; p=quarantine; rua=mailto:dmrac@${model.domain}`)(model),
    says: /dmrac/,
  },
  {
    id: 'dmarc-misplaced',
    what: 'the DMARC record stands at a name without its underscore',
    plant: (model) => move(model, `_dmarc.${model.domain}`, `dmarc.${model.domain}`),
  },
  {
    id: 'dmarc-misplaced',
    what: 'the DMARC record stands at the name of the server',
    plant: (model) => move(model, `_dmarc.${model.domain}`, `_dmarc.${model.hostname}`),
  },
  {
    id: 'dmarc-syntax',
    what: 'DMARC has quotes in it',
    plant: dmarc('"v=DMARC1; p=quarantine"'),
    says: /quotes/,
  },
  {
    id: 'dmarc-syntax',
    what: 'a semicolon is missing in DMARC',
    plant: (model) => dmarc(`v=DMARC1 p=reject; rua=mailto:postmaster@${model.domain}`)(model),
    says: /semicolon/,
  },
  {
    id: 'dmarc-syntax',
    what: 'a semicolon stands between the readers of DMARC reports',
    plant: (model) =>
      dmarc(`v=DMARC1; p=reject; rua=mailto:postmaster@${model.domain}; mailto:abuse@${model.domain}`)(model),
    says: /comma/,
  },
  {
    id: 'dmarc-syntax',
    what: 'an alignment of DMARC is spelled out',
    plant: (model) => dmarc(`v=DMARC1; p=reject; adkim=strict; rua=mailto:postmaster@${model.domain}`)(model),
    says: /adkim=s\b/,
  },
  {
    id: 'dmarc-subdomains',
    what: 'DMARC refuses forgeries of the domain, and allows those of its subdomains',
    plant: (model) => dmarc(`v=DMARC1; p=reject; sp=none; rua=mailto:postmaster@${model.domain}`)(model),
  },
  {
    id: 'dmarc-missing',
    what: 'something else stands in the place of the DMARC record',
    plant: dmarc('google-site-verification=abcdef'),
    says: /google-site/,
  },
];
