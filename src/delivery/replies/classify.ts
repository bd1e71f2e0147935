/**
 * Verdict of a dialogue → outcome for the queue: 2xx delivered, 4xx again later, 5xx given up (RFC 5321 §4.2.1,
 * §4.5.4.1), unless the policy for permanent failures knows better (failure-rules.ts). Knows no connection and no queue.
 */

import type { Endpoint } from '../../dossier/event.ts';
import type { Phase, Verdict } from '../../smtp/client-verdict.ts';
import type { ConversationError, ConversationFailure } from '../../smtp/conversation.ts';
import { isPermanent, type Reply, replyText } from '../../smtp/reply.ts';
import type { Outcome, Trouble } from '../outcome.ts';
import { copyTrouble } from '../own-copy.ts';
import { type FailureRule, findFailureRule, type PermanentFailures } from './failure-rules.ts';
import { saysNoSuchUser } from './no-such-user.ts';

/** A reason longer than this is cut; the reply itself is whole. */
const maxReasonLength = 2000;

/** A policy is one domain's: what it forbids here is allowed for the next. */
const policyRule = 'TLS is not what its policy wants: never in clear text, never to a stranger, later again';

/** The outcome of a transaction for one recipient. */
export function classify(
  verdict: Verdict,
  endpoint: Endpoint,
  policy: PermanentFailures = 'careful',
): Outcome {
  switch (verdict.by) {
    case 'reply':
      return classifyReply(verdict.phase, verdict.reply, { endpoint, policy });
    case 'connection':
      return classifyFailure(verdict.phase, verdict.error, { endpoint, policy });
    case 'policy':
      return {
        kind: 'deferred',
        status: '4.7.5',
        reason: verdict.fault.reason,
        phase: verdict.phase,
        rule: policyRule,
        endpoint,
      };
    case 'extension': {
      const { status, reason, phase } = verdict;
      return {
        kind: 'failed',
        status,
        reason,
        phase,
        rule: 'the receiver cannot take it: given up',
        endpoint,
      };
    }
  }
}

/**
 * The outcome of not coming as far as MAIL: always try later. A host that turns everybody away, with a 5xx too, has
 * said nothing about this message or its recipients.
 */
export function classifyOpening(verdict: Verdict, endpoint: Endpoint): Outcome {
  const outcome = classify(verdict, endpoint, 'strict');
  if (outcome.kind !== 'failed') return outcome;
  const { remedy: _remedy, ...trouble } = outcome;
  const status = trouble.status.replace(/^5/, '4');
  const rule =
    verdict.phase === 'authenticating'
      ? 'we could not log in: that is for the operator to mend, and is tried again later'
      : 'the host turns us away: try again later';
  return { ...trouble, kind: 'deferred', status, rule };
}

interface Circumstances {
  endpoint: Endpoint;
  policy: PermanentFailures;
}

function classifyReply(phase: Phase, reply: Reply, { endpoint, policy }: Circumstances): Outcome {
  // Nothing but a 2xx to the final dot says that a message was taken (RFC 5321 §4.2.5).
  if (reply.code < 300 && phase === 'sending end of data') return { kind: 'delivered', reply, endpoint };
  const trouble = { status: statusOf(reply, phase), reason: reasonOf(reply), phase, reply, endpoint };
  const rule = policy === 'strict' ? undefined : findFailureRule(phase, reply, endpoint.address);
  if (!isPermanent(reply))
    return { kind: 'deferred', ...trouble, ...later(rule, '4xx: try again later (RFC 5321 §4.2.1)') };
  if (policy === 'never')
    return {
      kind: 'deferred',
      ...trouble,
      ...later(rule, '5xx, but permanentFailures is "never": try again later'),
    };
  return { kind: 'failed', ...trouble, ...permanent(rule) };
}

function later(rule: FailureRule | undefined, otherwise: string): { rule: string; remedy?: 'IPv4' } {
  return rule?.action === 'IPv4'
    ? { rule: `${rule.meaning}: to be tried over IPv4`, remedy: 'IPv4' }
    : { rule: otherwise };
}

function permanent(rule: FailureRule | undefined): Pick<Outcome & { kind: 'failed' }, 'rule' | 'remedy'> {
  switch (rule?.action) {
    case 'heals':
      return { rule: `5xx, but ${rule.meaning}, which may heal`, remedy: 'heals' };
    case 'IPv4':
      return { rule: `5xx, but ${rule.meaning}: to be tried over IPv4`, remedy: 'IPv4' };
    default:
      return { rule: '5xx: given up (RFC 5321 §4.2.1)' };
  }
}

function classifyFailure(phase: Phase, error: ConversationError, where: Circumstances): Outcome {
  const { endpoint } = where;
  if (error.reply !== undefined) return classifyReply(phase, error.reply, where);
  if (isOfOurAddress(error))
    return { kind: 'deferred', ...ownAddressTrouble, reason: error.message, endpoint, isOurs: true };
  const trouble: Trouble = {
    status: failureStatus[error.kind],
    reason: error.message,
    phase,
    rule: `${failureRule[error.kind]}: try again later`,
    endpoint,
    ...(error.kind === 'content' && copyTrouble(error.cause)),
  };
  if (phase !== 'sending end of data') return { kind: 'deferred', ...trouble };
  return {
    kind: 'inDoubt',
    ...trouble,
    phase: `${phase}: the message may be sent more than once`,
    rule: 'no clear answer to the final dot: it may have arrived, and is tried again (RFC 5321 §4.2.5)',
  };
}

/** 4.3.5: the system is not configured as it should be (RFC 3463 §3.4). */
const ownAddressTrouble = {
  status: '4.3.5',
  phase: 'taking our own address',
  rule: 'this machine does not have that address: for the operator to mend; tried again later',
};

/** The system did not let us have our end of the connection; nothing has left the machine. */
const isOfOurAddress = ({ kind, cause }: ConversationError): boolean =>
  kind === 'connect' && cause instanceof Error && 'syscall' in cause && cause.syscall === 'bind';

const failureRule: Record<ConversationFailure, string> = {
  connect: 'no connection',
  closed: 'the connection broke',
  closing: 'the receiver closed the connection',
  timeout: 'no answer',
  protocol: 'an answer that makes no sense',
  tls: 'the TLS handshake failed',
  aborted: 'we stopped',
  content: 'the message could not be read here',
};

const failureStatus: Record<ConversationFailure, string> = {
  connect: '4.4.1',
  closed: '4.4.2',
  closing: '4.4.2',
  timeout: '4.4.2',
  protocol: '4.5.0',
  tls: '4.7.5',
  aborted: '4.3.2',
  content: '4.3.0',
};

const reasonOf = (reply: Reply): string => replyText(reply).slice(0, maxReasonLength);

/** The enhanced status code, or the one that says most nearly the same as the basic code (RFC 3463, RFC 7504). */
export function statusOf(reply: Reply, phase: Phase): string {
  if (reply.enhanced !== undefined) return reply.enhanced;
  // RFC 5321 §4.2.3: a 550 says that there is nobody, or that a policy forbids it; its words must tell which.
  if (saysNoSuchUser({ phase, reply })) return '5.1.1';
  const ofRecipient = phase === 'sending RCPT TO' ? recipientStatus[reply.code] : undefined;
  return ofRecipient ?? statusByCode[reply.code] ?? (isPermanent(reply) ? '5.0.0' : '4.0.0');
}

const recipientStatus: Record<number, string> = {
  450: '4.2.0',
  452: '4.5.3',
  552: '5.2.2',
};

const statusByCode: Record<number, string> = {
  421: '4.3.2',
  451: '4.3.0',
  452: '4.3.1',
  454: '4.7.0',
  455: '4.5.4',
  500: '5.5.2',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
  504: '5.5.4',
  521: '5.3.2',
  530: '5.7.0',
  551: '5.1.6',
  552: '5.3.4',
  553: '5.1.3',
  555: '5.5.4',
  556: '5.1.10',
};
