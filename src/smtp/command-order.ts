/**
 * Which command may come when (RFC 5321 §4.1.4): check apart from proceed. Pure; the state is the session's, and what
 * depends on who is asking, or for what, is the application's to decide.
 */

import type { Command } from './command.ts';
import { checkMailParameters, type MailTerms } from './mail-parameters.ts';
import { checkRcptParameters } from './rcpt-parameters.ts';
import type { Reply } from './reply.ts';
import * as say from './session-replies.ts';

/** `none` → MAIL → `open` → first RCPT → `addressed` → DATA or BDAT → `receiving` → end of data → `none`. */
export type Transaction = 'none' | 'open' | 'addressed' | 'receiving';

export interface OrderState {
  readonly greeted: 'HELO' | 'EHLO' | undefined;
  readonly inTls: boolean;
  readonly authenticated: boolean;
  readonly transaction: Transaction;
  /** Accepted in the open transaction. */
  readonly recipients: number;
}

/** What this session offers and allows. */
export interface OrderTerms extends Omit<MailTerms, 'inTls'> {
  readonly startTls: boolean;
  /** LMTP is spoken (RFC 2033). */
  readonly lmtp?: boolean;
  readonly auth: readonly string[];
  readonly recipients: number;
}

/** The reply to a command that may not come now; undefined for one that may. */
export function refusalOf(command: Command, state: OrderState, terms: OrderTerms): Reply | undefined {
  switch (command.verb) {
    case 'invalid':
      return command.reply;
    case 'HELO':
    case 'EHLO':
      return terms.lmtp ? say.lhloOnly : undefined;
    case 'LHLO':
      return terms.lmtp ? undefined : say.unknownCommand;
    case 'MAIL':
      if (!state.greeted) return terms.lmtp ? say.lhloOnly : say.helloFirst;
      if (state.transaction !== 'none') return say.nestedMail;
      return checkMailParameters(command.parameters, { ...terms, inTls: state.inTls });
    case 'RCPT':
      if (state.transaction === 'none' || state.transaction === 'receiving') return say.mailFirst;
      return (
        checkRcptParameters(command.parameters) ??
        (state.recipients >= terms.recipients ? say.tooManyRecipients : undefined)
      );
    case 'DATA':
      return state.transaction === 'receiving' ? say.dataAfterBdat : refusalOfData(state);
    case 'BDAT':
      return refusalOfData(state);
    case 'STARTTLS':
      return terms.startTls && !state.inTls ? undefined : say.noStartTls(state.inTls);
    case 'AUTH':
      return refusalOfAuth(state, terms);
    default:
      return undefined;
  }
}

function refusalOfData({ transaction }: OrderState): Reply | undefined {
  if (transaction === 'none') return say.mailFirst;
  return transaction === 'open' ? say.noRecipients : undefined;
}

/** RFC 4954 §4, §6. */
function refusalOfAuth(state: OrderState, { auth }: OrderTerms): Reply | undefined {
  if (auth.length === 0) return say.authNotHere;
  if (!state.inTls) return say.authNeedsTls;
  if (state.greeted !== 'EHLO') return say.helloFirst;
  if (state.authenticated) return say.alreadyAuthenticated;
  return state.transaction === 'none' ? undefined : say.authInTransaction;
}
