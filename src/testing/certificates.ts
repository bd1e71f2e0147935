/**
 * A private certificate authority for tests and the playground: certificates for names and addresses, signed at once
 * (ECDSA P-256).
 */

import { canonicalAddress, findFamily } from '../net/addresses.ts';
import {
  dnsName,
  forAuthorities,
  forServers,
  newEcKey,
  subjectAltNames,
  type Validity,
  writeCertificate,
} from '../util/certificate-writer.ts';
import { der } from '../util/der.ts';

export type { Validity };

/** Both PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

export interface TestAuthority {
  /** What those must trust who are to believe its certificates, PEM. */
  cert: string;
  /** A server certificate for host names and IP addresses; the first is its subject. */
  issue(names: readonly string[], validity?: Partial<Validity>): Certificate;
}

const dayMs = 86_400_000;

export function testAuthority(name = 'Posthorn test authority'): TestAuthority {
  const key = newEcKey();
  return {
    cert: writeCertificate({ subject: name, subjectKey: key, extensions: forAuthorities, ...validity({}) }),
    issue(names, period = {}) {
      const subjectKey = newEcKey();
      const cert = writeCertificate({
        subject: names[0] ?? 'nobody',
        subjectKey,
        extensions: [subjectAltNames(names.map(alternativeName)), forServers],
        ...validity(period),
        issuer: { name, key },
      });
      return { cert, key: subjectKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

/** From yesterday, for clocks that differ, to a year from now. */
function validity({
  notBefore = Date.now() - dayMs,
  notAfter = Date.now() + 365 * dayMs,
}: Partial<Validity>): Validity {
  return { notBefore, notAfter };
}

const alternativeName = (name: string): Buffer =>
  findFamily(name) === undefined ? dnsName(name) : der(0x87, addressOctets(name));

function addressOctets(address: string): Buffer {
  if (findFamily(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = canonicalAddress(address).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
