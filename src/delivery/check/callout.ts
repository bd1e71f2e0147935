/**
 * The part of an address check that is spoken with the receiver (M11): a question about the address, and where it is taken,
 * another about one that nobody has. Says what follows from the answers, and notes each.
 */

import { type Address, formatAddress } from '../../mail/address.ts';
import { askAbout, endAsking } from '../../smtp/client-callout.ts';
import type { Session } from '../../smtp/client-session.ts';
import type { ClientTimeouts } from '../../smtp/client-timeouts.ts';
import type { Verdict } from '../../smtp/client-verdict.ts';
import { wordsOf } from '../replies/reply-meaning.ts';
import { meaningOfCallout } from './callout-rules.ts';

export type AddressVerdict = 'deliverable' | 'undeliverable' | 'cannot tell';

export interface CheckStep {
  step: 'syntax' | 'domain' | 'here' | 'route' | 'policy' | 'TLS' | 'question' | 'probe';
  /** What it says of the address. */
  finding: 'good' | 'bad' | 'unclear';
  /** In a sentence. */
  text: string;
  /** What DNS said, or the receiver. */
  evidence: string[];
}

export interface Conclusion {
  verdict: AddressVerdict;
  /** In a sentence. */
  why: string;
}

export const undeliverable = (why: string): Conclusion => ({ verdict: 'undeliverable', why });
export const cannotTell = (why: string): Conclusion => ({ verdict: 'cannot tell', why });

export type NoteStep = (
  step: CheckStep['step'],
  finding: CheckStep['finding'],
  text: string,
  evidence?: string[],
) => void;

export interface Circumstances {
  timeouts: ClientTimeouts;
  /** A local part that nobody has. */
  nobody: () => string;
  note: NoteStep;
  signal: AbortSignal;
}

/** Leaves no transaction open. Rejects only with the signal's reason. */
export async function askReceiver(
  session: Session,
  address: Address,
  circumstances: Circumstances,
): Promise<Conclusion> {
  const { timeouts, note, signal, nobody } = circumstances;
  const written = formatAddress(address);
  const verdict = await askAbout(session, address, timeouts);
  signal.throwIfAborted();
  const meaning = meaningOfCallout(verdict);
  const evidence = [answerOf(verdict)];
  const canGoOn = await endAsking(session, timeouts);
  signal.throwIfAborted();
  if (meaning.says === 'yes') {
    note('question', 'good', `The receiver takes mail for ${written}.`, evidence);
    if (canGoOn) return probe(session, { localPart: nobody(), domain: address.domain }, circumstances);
    return cannotTell('The receiver took it, and could not be asked whether it takes every address.');
  }
  const isNo = meaning.says === 'no';
  const text = `The receiver does not take mail for ${written}: ${meaning.meaning}.`;
  note('question', isNo ? 'bad' : 'unclear', text, evidence);
  const why = `${capital(meaning.meaning)}.`;
  return isNo ? undeliverable(why) : cannotTell(why);
}

/** A receiver that takes an address which nobody has would have taken any. */
async function probe(
  session: Session,
  stranger: Address,
  { timeouts, note, signal }: Circumstances,
): Promise<Conclusion> {
  const written = formatAddress(stranger);
  const verdict = await askAbout(session, stranger, timeouts);
  signal.throwIfAborted();
  await endAsking(session, timeouts);
  const meaning = meaningOfCallout(verdict);
  const evidence = [answerOf(verdict)];
  if (meaning.says === 'no') {
    note('probe', 'good', `It does not take just anything: not ${written}.`, evidence);
    const why = 'The receiver takes it, and refuses an address that nobody has.';
    return { verdict: 'deliverable', why };
  }
  if (meaning.says === 'yes') {
    note('probe', 'unclear', `It takes ${written} too, which nobody has.`, evidence);
    return cannotTell('The receiver takes every address at first, and may refuse the message later.');
  }
  note('probe', 'unclear', `Nothing is to be learned of ${written}: ${meaning.meaning}.`, evidence);
  return cannotTell('The receiver takes it, but whether it would take just anything is not known.');
}

/** As evidence. */
export function answerOf(verdict: Verdict): string {
  switch (verdict.by) {
    case 'reply':
      return `${verdict.phase}: ${wordsOf(verdict.reply)}`;
    case 'connection':
      return `${verdict.phase}: ${verdict.error.message}`;
    case 'policy':
      return `${verdict.phase}: ${verdict.fault.reason}`;
    case 'extension':
      return verdict.reason;
  }
}

/** As a sentence begins; a domain in front stays as it is written. */
export const capital = (text: string): string =>
  /^[^\s.]+\.\S/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
