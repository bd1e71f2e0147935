/** DKIM signatures on mail that leaves in the name of one of our domains: which key, and what it signs (RFC 6376). */

import { bodyHasher } from '../authentication/body-hash.ts';
import type { DkimSigner } from '../authentication/dkim-sign.ts';
import type { DossierEvent } from '../dossier/event.ts';

/** Signers by domain, A-labels. */
export type Signers = ReadonlyMap<string, DkimSigner>;

export interface Signature {
  /** The DKIM-Signature field. */
  field: string;
  event: (at: number, queueId: string) => DossierEvent;
}

export interface Signing {
  /** Hashes the body in passing. */
  onBody(chunk: Buffer): void;
  /** Signs the header as it will be sent. */
  sign(header: Buffer): Promise<Signature>;
}

/** Starts a signature in the name of `domain`, which DMARC wants aligned with From; undefined without a key for it. */
export function startSigning(signers: Signers, domain: string | undefined): Signing | undefined {
  const signer = domain === undefined ? undefined : signers.get(domain);
  if (!signer) return undefined;
  const hasher = bodyHasher();
  const { selector, algorithm, also } = signer;
  return {
    onBody: (chunk) => hasher.update(chunk),
    async sign(header) {
      const field = await signer.sign({ header, bodyHash: hasher.digest() });
      const data = { domain: signer.domain, selector, algorithm, ...(also && { also }) };
      return { field, event: (at, queueId) => ({ at, queueId, event: 'signed', data }) };
    },
  };
}
