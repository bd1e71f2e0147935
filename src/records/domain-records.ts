/** The records of one mail domain: who takes its mail, who may send in its name, how it is signed, and what is reported where. */

import { clientRecords } from './client-records.ts';
import { spfRecord } from './spf-wanted.ts';
import type { DomainFacts, RecordFacts, WantedRecord } from './wanted-record.ts';
import { isWithin } from './zone-of.ts';

export function domainRecords(domain: DomainFacts, facts: RecordFacts): WantedRecord[] {
  return [
    mxRecord(domain, facts),
    spfRecord(domain, facts),
    ...dkimRecords(domain),
    ...dmarcRecords(domain, facts),
    ...stsRecords(domain, facts),
    tlsReportRecord(domain, facts),
    ...clientRecords(domain, facts),
  ];
}

const mxRecord = ({ name }: DomainFacts, { hostname }: RecordFacts): WantedRecord => ({
  domain: name,
  name,
  type: 'MX',
  data: `10 ${hostname}.`,
  purpose: 'mx',
  need: 'required',
  why: `mail for ${name} comes to this server`,
  where: 'zone',
});

/** Verifiers that know Ed25519 (RFC 8463) take either; the others need RSA. */
const dkimRecords = ({ name, dkim }: DomainFacts): WantedRecord[] =>
  dkim.map(({ selector, type, record }) => ({
    domain: name,
    name: `${selector}._domainkey.${name}`,
    type: 'TXT',
    data: record,
    purpose: 'dkim',
    need: type === 'rsa' || dkim.length === 1 ? 'required' : 'recommended',
    why:
      type === 'rsa'
        ? 'the key by which receivers see that mail is yours and unchanged (DKIM, RSA: every receiver knows it)'
        : 'a second, shorter and stronger key (DKIM, Ed25519) for receivers that know it',
    where: 'zone',
  }));

function dmarcRecords({ name }: DomainFacts, facts: RecordFacts): WantedRecord[] {
  const target = reportAddress(name, facts);
  const record: WantedRecord = {
    domain: name,
    name: `_dmarc.${name}`,
    type: 'TXT',
    data: `v=DMARC1; p=none; rua=mailto:${target}`,
    purpose: 'dmarc',
    need: 'required',
    why:
      'what receivers do with mail that only pretends to be yours, and where they report. Begin with p=none: nothing is refused. ' +
      'Read `posthorn reports dmarc` for two weeks at least; when all that is yours passes, make it p=quarantine, and some weeks later p=reject',
    where: 'zone',
  };
  const reader = target.slice(target.lastIndexOf('@') + 1);
  if (isWithin(name, reader) || isWithin(reader, name)) return [record];
  return [record, reportAuthorization(name, reader)];
}

/** Who gets the reports on another domain says that it wants them (RFC 9990 §4). */
const reportAuthorization = (name: string, reader: string): WantedRecord => ({
  domain: reader,
  name: `${name}._report._dmarc.${reader}`,
  type: 'TXT',
  data: 'v=DMARC1;',
  purpose: 'report-authorization',
  need: 'required',
  why: `without it nobody sends the reports about ${name} to an address of ${reader}`,
  where: 'zone',
});

/** The mailbox for reports in this domain, else any, else the domain's postmaster: all are read (`posthorn reports`). */
function reportAddress(domain: string, { reportMailboxes }: RecordFacts): string {
  const own = reportMailboxes.find((address) => address.endsWith(`@${domain}`));
  return own ?? reportMailboxes[0] ?? `postmaster@${domain}`;
}

/**
 * The host's name first: an authority issues for what DNS leads here. What announces the policy waits for the certificate, without
 * which nobody takes the policy (RFC 8461 §3.3).
 */
function stsRecords({ name, sts }: DomainFacts, { hostname, web }: RecordFacts): WantedRecord[] {
  if (sts === undefined) return [];
  const host = `mta-sts.${name}`;
  const unserved = web.includes('mta-sts')
    ? undefined
    : `a web server must serve https://${host}/.well-known/mta-sts.txt first: add [[listener]] protocol = "https"`;
  const common = { domain: name, purpose: 'mta-sts', need: 'recommended', where: 'zone' } as const;
  const alias: WantedRecord = {
    ...common,
    name: host,
    type: 'CNAME',
    data: `${hostname}.`,
    why: 'where senders fetch the policy that says that your mail comes encrypted, to this server only (RFC 8461)',
    ...(unserved !== undefined && { notYet: unserved }),
  };
  const notYet = unserved ?? (sts.lack && `enter it when the certificate is there; now ${sts.lack}`);
  const announcement: WantedRecord = {
    ...common,
    name: `_mta-sts.${name}`,
    type: 'TXT',
    data: `v=STSv1; id=${sts.policyId}`,
    why: `there is such a policy; its id changes with it. ${modeWords[sts.mode]}`,
    ...(notYet !== undefined && { notYet }),
  };
  return host === hostname ? [announcement] : [alias, announcement];
}

const modeWords = {
  testing: 'It begins in mode "testing": failures are reported, mail arrives in any case',
  enforce:
    'Its mode is "enforce": senders that know it do not deliver where the certificate is wrong. Begin with "testing" where it was never announced before',
  none: 'Its mode is "none": senders forget what they knew',
} as const;

const tlsReportRecord = ({ name }: DomainFacts, facts: RecordFacts): WantedRecord => ({
  domain: name,
  name: `_smtp._tls.${name}`,
  type: 'TXT',
  data: `v=TLSRPTv1; rua=mailto:${reportAddress(name, facts)}`,
  purpose: 'tls-rpt',
  need: 'recommended',
  why: 'others report how encryption to this server went (RFC 8460); read by `posthorn reports tls`',
  where: 'zone',
});
