/** The certificate chain of the server: for its name, in time, whole, and known to the world. Pure. RFC 5280 §6.1, RFC 8446 §4.4.2. */

import type { X509Certificate } from 'node:crypto';
import { type Finding, found, good } from './finding.ts';

export interface CertificateParts {
  /** Its own first. */
  chain: readonly X509Certificate[];
  hostname: string;
  now: number;
  /** Why no known authority vouches for it, as a handshake has found; absent: one does, or it is not known. */
  distrust?: string | undefined;
  /** Where it was found, for people. */
  where: string;
}

const dayMs = 24 * 3600_000;
/** Certificates for 90 days are renewed a month before their end: by then it must have failed for two weeks. */
const soonMs = 14 * dayMs;

export function examineCertificate(parts: CertificateParts): Finding[] {
  const { chain, hostname, now, distrust, where } = parts;
  const [own] = chain;
  if (own === undefined) return [];
  const findings = [...chain.flatMap((certificate) => examineTime(certificate, now, where)).slice(0, 1)];
  if (own.checkHost(hostname, { partialWildcards: false }) === undefined)
    findings.push(
      found('certificate-wrong-name', {
        evidence: `${where}: it is for ${namesOf(own)}, not for ${hostname}`,
        remedy: `Senders that check it do not deliver. Get one for ${hostname}.`,
      }),
    );
  const gap = chain.findIndex((certificate, index) => {
    const issuer = chain[index + 1];
    return issuer !== undefined && !certificate.checkIssued(issuer);
  });
  if (gap >= 0)
    findings.push(
      found('certificate-chain', {
        evidence: `${where}: after ${nameOf(chain[gap])} comes ${nameOf(chain[gap + 1])}, which has not issued it`,
        remedy:
          'The file holds the certificate first, then its issuer, then that one’s issuer: what ACME programs call fullchain.pem.',
      }),
    );
  else if (distrust !== undefined && findings.length === 0)
    findings.push(
      found('certificate-untrusted', {
        evidence: `${where}: ${distrust.toLowerCase().replaceAll('_', ' ')}${chain.length === 1 && !isSelfIssued(own) ? `; only the certificate itself is shown, not its issuer ${issuerOf(own)}` : ''}`,
        remedy: isSelfIssued(own)
          ? 'Mail comes in encrypted all the same, but mail programs warn, and MTA-STS cannot be enforced. Get one from a public authority; why none has come by [acme], posthorn tls says.'
          : 'Put the certificates of the issuers behind it in the file (fullchain.pem).',
      }),
    );
  if (findings.length > 0) return findings;
  const days = Math.floor((own.validToDate.getTime() - now) / dayMs);
  return [good('certificate', `${where}: for ${hostname}, for ${days} days more`)];
}

function examineTime(certificate: X509Certificate, now: number, where: string): Finding[] {
  const { validFromDate, validToDate } = certificate;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const whose = `${where}: ${nameOf(certificate)}`;
  if (now > validToDate.getTime())
    return [
      found('certificate-expired', {
        evidence: `${whose} has expired on ${day(validToDate)}`,
        remedy: 'Renew it; why that did not happen by itself, posthorn tls says.',
      }),
    ];
  if (now < validFromDate.getTime())
    return [
      found('certificate-not-yet-valid', {
        evidence: `${whose} is valid from ${day(validFromDate)} on`,
        remedy: 'Is the clock of this machine right? Else use the one before until then.',
      }),
    ];
  if (validToDate.getTime() - now < soonMs)
    return [
      found('certificate-expires', {
        evidence: `${whose} expires on ${day(validToDate)}`,
        remedy: 'It should have been renewed by now: why not, posthorn tls says.',
      }),
    ];
  return [];
}

const isSelfIssued = (certificate: X509Certificate): boolean => certificate.checkIssued(certificate);

const oneLine = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ', ').slice(0, 120);

const nameOf = (certificate: X509Certificate | undefined): string =>
  oneLine(certificate?.subject ?? certificate?.subjectAltName ?? 'a certificate without a name');

const issuerOf = ({ issuer }: X509Certificate): string => oneLine(issuer ?? 'nobody');

const namesOf = ({ subject, subjectAltName }: X509Certificate): string =>
  oneLine((subjectAltName ?? subject ?? 'nobody').replaceAll('DNS:', ''));
