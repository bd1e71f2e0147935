/**
 * What each command of an SMTP session comes to: an event for the application, or a reply at once (RFC 5321 §4.1.1).
 * Whether it may come now is asked of command-order.ts; what follows from the application's word is in session-answers.ts.
 */

import type { SaslStep } from '../sasl/exchange.ts';
import type { Command } from './command.ts';
import { refusalOf } from './command-order.ts';
import { type Reply, reply } from './reply.ts';
import { schedulingExtensions } from './scheduling-parameters.ts';
import type { SmtpEvent } from './session-options.ts';
import * as say from './session-replies.ts';
import type { SessionState } from './session-state.ts';

/** An event, or `again`: the reply is said, and the next command may come. */
type Obeyed = SmtpEvent | 'again';

export function obey(session: SessionState, command: Command): Obeyed {
  const refusal = refusalOf(command, session.order, session.options);
  if (command.verb === 'BDAT') return startChunk(session, command, refusal);
  if (command.verb === 'AUTH' && refusal) session.record.refusedAuth();
  return refusal ? session.refuse(refusal) : proceed(session, command);
}

function proceed(session: SessionState, command: Exclude<Command, { verb: 'BDAT' }>): Obeyed {
  switch (command.verb) {
    case 'LHLO': // is to LMTP what EHLO is to SMTP
      return { type: 'hello', verb: 'EHLO', name: command.name };
    case 'HELO':
    case 'EHLO':
      return { type: 'hello', verb: command.verb, name: command.name };
    case 'MAIL':
      return { type: 'mail', path: command.path, parameters: command.parameters };
    case 'RCPT':
      return { type: 'recipient', path: command.path, parameters: command.parameters };
    case 'DATA':
      return { type: 'data' };
    case 'AUTH':
      return startAuth(session, command);
    case 'STARTTLS':
      session.tlsWanted = true;
      return session.say(say.startTls);
    case 'RSET':
      session.endTransaction();
      session.say(say.resetOk);
      return { type: 'reset' };
    case 'NOOP':
      return session.say(say.ok);
    case 'VRFY':
      return session.say(say.cannotVerify);
    case 'HELP':
      return session.say(say.help(helloReply(session, 'EHLO').lines.slice(1)));
    case 'QUIT':
      return session.bye(say.quit);
    case 'invalid':
      return session.refuse(command.reply);
  }
}

/** Our own answer to a greeting: to EHLO with what this session offers now. */
export function helloReply({ options, tls, order, auth }: SessionState, verb: 'HELO' | 'EHLO'): Reply {
  const { hostname, startTls, messageBytes, recipients, scheduling, now } = options;
  if (verb === 'HELO') return reply(250, '', hostname);
  return say.extensions({
    hostname,
    messageBytes,
    recipients,
    startTls: startTls && !tls,
    requireTls: tls !== undefined,
    scheduling: scheduling && tls ? schedulingExtensions(scheduling, now()) : [],
    auth: order.authenticated ? [] : auth.offered(tls),
  });
}

/** BDAT (RFC 3030 §2): its octets follow, wanted or not. */
function startChunk(
  session: SessionState,
  command: Command & { verb: 'BDAT' },
  refusal: Reply | undefined,
): Obeyed {
  session.mode = 'data';
  return session.data.startChunk(command, refusal) ? { type: 'data' } : 'again';
}

function startAuth(session: SessionState, command: Command & { verb: 'AUTH' }): Obeyed {
  const { auth, tls, record } = session;
  const step = auth.start(command, tls);
  if (step) return obeySasl(session, step);
  record.refusedAuth();
  return session.refuse(say.unknownMechanism(auth.offered(tls)));
}

/** A step of an AUTH exchange (RFC 4954 §4). */
export function obeySasl(session: SessionState, step: SaslStep): Obeyed {
  if (step.kind === 'claim') return { type: 'authenticate', claim: step.claim };
  if (step.kind === 'error') return session.refuse(say.authFailed(step));
  session.mode = 'sasl';
  return session.say(reply(334, '', step.challenge));
}
