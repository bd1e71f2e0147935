/**
 * Asks a receiver whether it would take mail for an address, without sending any: MAIL with the null sender, RCPT, RSET
 * (RFC 5321 §3.3, §4.1.1.5). What the answer means is for others to say. Knows no DNS.
 */

import { type Address, formatAddress, needsSmtputf8 } from '../mail/address.ts';
import type { Session } from './client-session.ts';
import { type ClientTimeouts, defaultTimeouts } from './client-timeouts.ts';
import { byConnection, byReply, type Phase, type Verdict } from './client-verdict.ts';
import { isPositive, type Reply } from './reply.ts';

/**
 * A transaction of its own, which is ended by RSET: some receivers refuse a second recipient to the null sender. Resolves
 * to the reply to RCPT, or to what came before it.
 */
export async function askAbout(
  session: Session,
  address: Address,
  timeouts: ClientTimeouts = defaultTimeouts,
): Promise<Verdict> {
  const needsUtf8 = needsSmtputf8(address);
  if (needsUtf8 && !session.extensions.has('SMTPUTF8')) {
    const phase = 'comparing the message with what the receiver offers';
    const reason = 'the receiver does not take internationalized mail (SMTPUTF8), which this address needs';
    return { by: 'extension', phase, status: '5.6.7', reason };
  }
  let phase: Phase = 'sending MAIL FROM';
  const ask = (command: string, timeoutMs: number): Promise<Reply> => {
    session.conversation.send([command]);
    return session.conversation.reply(timeoutMs);
  };
  try {
    const mail = await ask(`MAIL FROM:<>${needsUtf8 ? ' SMTPUTF8' : ''}`, timeouts.mailMs);
    if (!isPositive(mail)) return byReply(phase, mail);
    phase = 'sending RCPT TO';
    const rcpt = await ask(`RCPT TO:<${formatAddress(address)}>`, timeouts.rcptMs);
    session.needsReset = true;
    return byReply(phase, rcpt);
  } catch (error) {
    return byConnection(phase, error);
  }
}

/** Leaves no transaction open; a receiver that is gone has none either. Resolves to whether it can be asked again. */
export async function endAsking(
  session: Session,
  timeouts: ClientTimeouts = defaultTimeouts,
): Promise<boolean> {
  if (!session.needsReset) return true;
  session.conversation.send(['RSET']);
  try {
    const reply = await session.conversation.reply(timeouts.helloMs);
    session.needsReset = !isPositive(reply);
    return isPositive(reply);
  } catch (error) {
    byConnection('sending RSET', error); // throws what is a bug
    return false;
  }
}
