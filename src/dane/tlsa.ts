/**
 * Whether the certificates that a host showed are those that its TLSA records name (RFC 6698, RFC 7671, RFC 7672 §3).
 * Only for records from authentic answers: who asks DNS sees to that.
 */

import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { TlsaRecord } from '../dns/resolver.ts';

/** DANE-TA: an issuer in the chain. DANE-EE: the host's own certificate. PKIX-TA and -EE are not for SMTP. */
const trustAnchor = 2;
const endEntity = 3;

/** What matters of the world around: names that the host may have, and the time for its certificates. */
export interface DaneContext {
  /** The TLSA base domain, and what it was reached by: the MX host, the domain of the mail (RFC 7672 §3.2.2). */
  names: readonly string[];
  /** Milliseconds since 1970. */
  now: number;
}

export type DaneVerdict =
  | { result: 'verified'; by: TlsaRecord }
  | { result: 'failed'; reason: string; cause: DaneTrouble };

/** What it was that failed, in the words of RFC 8460 §4.3. */
export type DaneTrouble =
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure';

/** The records that can be used here. If there are records and none of them can, TLS is mandatory, and proves nothing. */
export function usableRecords(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter(
    ({ usage, selector, matchingType, data }) =>
      (usage === trustAnchor || usage === endEntity) &&
      selector <= 1 &&
      (matchingType === 0 ? data.length > 0 : data.length === digestBytes.get(matchingType)),
  );
}

const digestBytes = new Map([
  [1, 32],
  [2, 64],
]);

/** `chain` is what the host sent, its own certificate first. `records` are usable ones. */
export function verifyDane(
  records: readonly TlsaRecord[],
  chain: readonly X509Certificate[],
  context: DaneContext,
): DaneVerdict {
  const [own] = chain;
  if (own === undefined) return failed('validation-failure', 'the host showed no certificate');
  // The record alone vouches for it: neither name nor time matter (RFC 7672 §3.1.1).
  const exact = records.find((record) => record.usage === endEntity && matches(record, own));
  if (exact !== undefined) return { result: 'verified', by: exact };
  let last = failed('validation-failure', 'no TLSA record matches the certificates that the host showed');
  for (const record of records.filter(({ usage }) => usage === trustAnchor)) {
    // The host's own certificate is no anchor of itself.
    const depth = chain.findIndex((certificate, index) => index > 0 && matches(record, certificate));
    if (depth < 0) continue;
    const trouble = troubleBelow(chain.slice(0, depth + 1), context);
    if (trouble === undefined) return { result: 'verified', by: record };
    last = trouble;
  }
  return last;
}

const failed = (cause: DaneTrouble, reason: string): DaneVerdict => ({ result: 'failed', reason, cause });

function matches({ selector, matchingType, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const octets =
    selector === 0 ? certificate.raw : keyOf(certificate)?.export({ type: 'spki', format: 'der' });
  if (octets === undefined) return false;
  if (matchingType === 0) return data.equals(octets);
  return data.equals(
    createHash(matchingType === 1 ? 'sha256' : 'sha512')
      .update(octets)
      .digest(),
  );
}

/** Undefined where OpenSSL cannot read it: what a host sends after its own certificate is whatever it likes. */
function keyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}

/** What is wrong with a chain that ends in its trust anchor (RFC 7671 §5.2, RFC 5280 §6.1); undefined if nothing is. */
function troubleBelow(
  chain: readonly X509Certificate[],
  { names, now }: DaneContext,
): DaneVerdict | undefined {
  const [own] = chain;
  if (own === undefined) return failed('validation-failure', 'the chain is empty');
  for (const [index, certificate] of chain.entries()) {
    const subject = nameOf(certificate);
    if (now < certificate.validFromDate.getTime())
      return failed('validation-failure', `the certificate of ${subject} is not valid yet`);
    if (now > certificate.validToDate.getTime())
      return failed('certificate-expired', `the certificate of ${subject} has expired`);
    const issuer = chain[index + 1];
    if (issuer === undefined) break;
    if (!issuer.ca) return failed('certificate-not-trusted', `${nameOf(issuer)} may not issue certificates`);
    const issuerKey = keyOf(issuer);
    if (issuerKey === undefined || !certificate.checkIssued(issuer) || !certificate.verify(issuerKey))
      return failed(
        'certificate-not-trusted',
        `the certificate of ${subject} was not issued by ${nameOf(issuer)}, as the chain has it`,
      );
  }
  if (names.some((name) => own.checkHost(name, { partialWildcards: false }) !== undefined)) return undefined;
  return failed('certificate-host-mismatch', `the certificate is not for ${names.join(' or ')}`);
}

const nameOf = ({ subject, subjectAltName }: X509Certificate): string =>
  (subject ?? subjectAltName ?? 'an unnamed holder').replace(/[^\x20-\x7e]+/g, ', ').slice(0, 200);
