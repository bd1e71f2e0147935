/**
 * Whether a message is proven to come from where its reverse-path says. Only then may a report about it go there:
 * to anybody else it would be backscatter (RFC 5321 §6.2). Says nothing about whether the message is welcome.
 */

import { parseAddress } from '../mail/address.ts';
import type { Verdicts } from './verdicts.ts';

/**
 * By an SPF pass for the reverse-path, or by DMARC where the author's organization is also that of the reverse-path:
 * anybody can write in his own name, with somebody else's on the envelope. `reversePath` is `user@domain` or ''.
 */
export function isSenderProven(
  { spf, dmarc }: Pick<Verdicts, 'spf' | 'dmarc'>,
  reversePath: string,
): boolean {
  if (spf.result === 'pass' && spf.scope === 'mailfrom') return true;
  const domain = parseAddress(reversePath)?.domain;
  if (dmarc.result !== 'pass' || domain === undefined) return false;
  const organization = dmarc.organizationalDomain ?? dmarc.domain;
  return domain === organization || domain.endsWith(`.${organization}`);
}
