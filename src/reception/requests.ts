/**
 * What a sender asks for beyond delivery, on its way from the envelope and the header to message and jobs: of an alias's
 * people (RFC 3461 §5.2.7), and by `TLS-Required: No` (RFC 8689 §4.1).
 */

import { fieldValue, findFields, type Header } from '../mail/header.ts';
import type { Recipient } from '../queue/directory.ts';
import type { MailRequests } from '../smtp/mail-parameters.ts';
import type { JobRequests } from '../store/job.ts';
import type { MessageRequests, MessageRow } from '../store/message.ts';

/** An alias of several people, of which success was to be reported: it is, by saying that it was taken apart. */
export interface ExpandedAlias {
  /** As the client named it. */
  recipient: string;
  orcpt?: string;
}

/** Tells the sender; resolves when that is on disk, and before the client is told that its message is. Does not reject. */
export type ReportExpansion = (message: MessageRow, expanded: readonly ExpandedAlias[]) => Promise<void>;

/**
 * One forwarding address inherits everything (RFC 3461 §5.2.7.2). Several inherit all but the wish to hear of success,
 * which the "expanded" report answers (§5.2.7.3 c).
 */
export function inherit(
  recipient: string,
  found: readonly Recipient[],
  requests: JobRequests,
): { recipients: Recipient[]; expanded?: ExpandedAlias } {
  const { notify, orcpt } = requests;
  if (found.length === 1 || !notify?.includes('success'))
    return { recipients: found.map((each) => ({ ...each, requests })) };
  const rest = notify.filter((keyword) => keyword !== 'success');
  const inherited: JobRequests = { ...requests, notify: rest.length > 0 ? rest : ['never'] };
  return {
    recipients: found.map((each) => ({ ...each, requests: inherited })),
    expanded: { recipient, ...(orcpt !== undefined && { orcpt }) },
  };
}

/** `TLS-Required: No` counts only where REQUIRETLS was not given (RFC 8689 §4.1); another value, or two, says nothing. */
export function requestsOf(
  mailRequests: MailRequests | undefined,
  { fields }: Header,
  at: number,
): MessageRequests | undefined {
  const requests = mailRequests && atTimes(mailRequests, at);
  const [field, another] = findFields(fields, 'tls-required');
  if (field === undefined || another !== undefined || requests?.requireTls) return requests;
  return fieldValue(field).toLowerCase() === 'no' ? { ...requests, tlsOptional: true } : requests;
}

/** Times count from when the message is accepted, `at`. */
function atTimes({ hold, by, ...rest }: MailRequests, at: number): MessageRequests {
  if (!hold && !by) return rest;
  return {
    ...rest,
    ...(hold && { releaseAt: 'until' in hold ? hold.until : at + hold.seconds * 1000 }),
    ...(by && {
      deliverBy: { at: at + by.seconds * 1000, mode: by.mode, ...(by.trace && { trace: by.trace }) },
    }),
  };
}

/** When it is to go, as the sender wants it. */
export type Asked = Pick<MessageRequests, 'releaseAt' | 'deliverBy' | 'priority'>;

export const asksOfWhen = ({ releaseAt, deliverBy, priority }: MessageRequests): boolean =>
  releaseAt !== undefined || deliverBy !== undefined || priority !== undefined;

export const askedOf = ({ releaseAt, deliverBy, priority }: MessageRequests): Asked => ({
  ...(releaseAt !== undefined && { releaseAt }),
  ...(deliverBy !== undefined && { deliverBy }),
  ...(priority !== undefined && { priority }),
});
