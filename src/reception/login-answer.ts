/** How the end of a login is said in SMTP (RFC 4954). Pure. */

import { encodeChallenge } from '../sasl/exchange.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import { authFailed } from '../smtp/session-replies.ts';
import { type LoginOutcome, suspendedText } from './login.ts';

/** Undefined: a wrong password, which the session has its own words for. */
export function loginAnswer(outcome: LoginOutcome): Reply | undefined {
  switch (outcome.kind) {
    case 'welcome':
      return reply(235, '2.7.0', `Welcome, ${outcome.account}`);
    case 'challenge':
      return reply(334, '', encodeChallenge(outcome.text));
    case 'suspended':
      return reply(535, '5.7.13', `${suspendedText}; ask your postmaster`);
    case 'malformed':
      return authFailed({ reason: 'malformed', text: outcome.text });
    case 'busy':
      return reply(454, '4.7.0', outcome.why ?? 'Too many logins at once from your address; try again later');
    case 'wrong':
      return outcome.last
        ? reply(421, '4.7.0', outcome.why ?? 'Too many failed attempts; closing')
        : undefined;
  }
}
