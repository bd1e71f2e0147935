/** DKIM for a message that lies in memory whole. What streams by is hashed in passing, by those whom it passes. */

import { findHeaderEnd } from '../mail/header.ts';
import { bodyHasher } from './body-hash.ts';
import type { DkimSigner } from './dkim-sign.ts';

/** The DKIM-Signature field for `message`, which has CRLF line ends. */
export function signMessage(signer: DkimSigner, message: Buffer): Promise<string> {
  const bodyStart = findHeaderEnd(message) ?? message.length;
  const hasher = bodyHasher();
  hasher.update(message.subarray(bodyStart));
  return signer.sign({ header: message.subarray(0, bodyStart), bodyHash: hasher.digest() });
}
