/**
 * What follows from the application's word on each event of an SMTP session: what is said, how far the transaction is,
 * what the next octets are. Without a word of its own (`undefined`) the session's reply is said.
 */

import { isPositive, type Reply } from './reply.ts';
import { helloReply } from './session-commands.ts';
import type { SmtpEvent } from './session-options.ts';
import * as say from './session-replies.ts';
import type { SessionState } from './session-state.ts';

export function takeAnswer(session: SessionState, event: SmtpEvent, answer: Reply | undefined): void {
  switch (event.type) {
    case 'connect':
      return answerConnect(session, answer);
    case 'tls':
      session.mode = 'command';
      return;
    case 'hello':
      return answerHello(session, event.verb, answer ?? helloReply(session, event.verb));
    case 'authenticate':
      return answerClaim(session, answer);
    case 'mail':
      if (!answer || isPositive(answer)) session.note({ transaction: 'open' });
      session.say(answer ?? say.senderOk);
      return;
    case 'recipient':
      return answerRecipient(session, answer);
    case 'data':
      return answerData(session, answer);
    case 'message':
      return answerMessage(session, answer ?? event.fault ?? say.internalError);
  }
}

function answerConnect(session: SessionState, answer: Reply | undefined): void {
  const { hostname, lmtp } = session.options;
  session.mode = 'command';
  session.say(answer ?? say.banner(hostname, lmtp));
  if (answer && !isPositive(answer)) session.mode = 'ended';
}

function answerHello(session: SessionState, verb: 'HELO' | 'EHLO', answer: Reply): void {
  session.endTransaction();
  if (isPositive(answer)) session.note({ greeted: verb });
  session.say(answer);
}

/** RFC 4954 §4: with a 334 the exchange goes on. */
function answerClaim(session: SessionState, answer: Reply | undefined): void {
  const goesOn = answer?.code === 334;
  session.mode = goesOn ? 'sasl' : 'command';
  if (goesOn && session.auth.hasSecretChallenges) return session.record.saySecret(answer);
  session.note({ authenticated: answer !== undefined && isPositive(answer) });
  session.say(answer ?? say.badCredentials);
}

function answerRecipient(session: SessionState, answer: Reply | undefined): void {
  if (!answer || isPositive(answer))
    session.note({ transaction: 'addressed', recipients: session.order.recipients + 1 });
  session.say(answer ?? say.recipientOk);
}

function answerData(session: SessionState, answer: Reply | undefined): void {
  const refusal = answer && !isPositive(answer) ? answer : undefined;
  const said = session.data.start(refusal);
  if (said) session.say(said);
  if (!refusal) {
    session.note({ transaction: 'receiving' });
    session.mode = 'data';
  }
}

/** In LMTP once for each recipient that was accepted (RFC 2033 §4.2). */
function answerMessage(session: SessionState, answer: Reply): void {
  const { recipients } = session.order;
  session.endTransaction();
  session.mode = 'command';
  if (isPositive(answer)) session.commands = 0;
  if (!session.options.lmtp) return void session.say(answer);
  for (let index = 0; index < recipients; index++) session.say(answer.each?.[index] ?? answer);
}
