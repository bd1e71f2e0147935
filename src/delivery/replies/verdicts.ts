/** What a verdict says of the connection it was given on, for who looks for the next. */

import type { Flaw, Verdict } from '../../smtp/client-verdict.ts';
import { replyText } from '../../smtp/reply.ts';
import { statusOf } from './classify.ts';

export function errorOf(verdict: Verdict): string {
  switch (verdict.by) {
    case 'reply':
      return replyText(verdict.reply);
    case 'connection':
      return verdict.error.message;
    case 'policy':
      return verdict.fault.reason;
    case 'extension':
      return verdict.reason;
  }
}

/** The connection failed with nothing handed over: another address may do better. */
export function allowsNextAddress(verdict: Verdict): boolean {
  if (verdict.by !== 'connection' || verdict.phase === 'sending end of data') return false;
  return verdict.error.kind !== 'content' && verdict.error.kind !== 'aborted';
}

/** RFC 5321 §4.5.3.1.10: the others may be sent in another transaction. Some say so in the old way, with 552. */
export function isTooMany(verdict: Verdict): boolean {
  if (verdict.by !== 'reply' || verdict.phase !== 'sending RCPT TO') return false;
  const { code, lines } = verdict.reply;
  const status = statusOf(verdict.reply, verdict.phase);
  if (code === 552) return status === '5.5.3' || /too many recipients/i.test(lines.join(' '));
  return code === 452 && status === '4.5.3';
}

/** Also a server that takes us to be out of step (503) has taken nothing. */
export function isDeadBeforeMail(verdict: Verdict): boolean {
  if (verdict.phase !== 'sending RSET' && verdict.phase !== 'sending MAIL FROM') return false;
  if (verdict.by === 'reply') return verdict.reply.code === 503;
  return verdict.by === 'connection' && verdict.error.kind !== 'aborted';
}

export const hasFlaw = (verdict: Verdict): verdict is Verdict & { by: 'connection'; flaw: Flaw } =>
  verdict.by === 'connection' && verdict.flaw !== undefined;

export const withoutIt = ({ error, flaw }: { error: Error; flaw: Flaw }): string =>
  `${error.message}; it is spoken to without ${flaw} from now on`;
