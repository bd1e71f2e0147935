/** What a report is told about one recipient that could not be reached. Plain values, gathered by the delivery. */

import type { Endpoint } from '../dossier/event.ts';
import type { Reply } from '../smtp/reply.ts';

export interface NamedRecipient {
  /** Who hears of it instead of the sender: the owner of the mailing list that it came by. */
  errorsTo?: string;
  /** `user@domain` that was tried. */
  recipient: string;
  /** What the sender wrote, where an alias led elsewhere. */
  originalRecipient?: string;
  /** Whom the sender named first, as the client has told us (ORCPT, RFC 3461 §4.2): its type, and the address decoded. */
  orcpt?: { type: string; address: string };
}

export interface FailedRecipient extends NamedRecipient {
  /** Enhanced status, e.g. `5.1.1` (RFC 3463). */
  status: string;
  /** What went wrong, for people; the whole of it where there is no reply. */
  reason: string;
  /** What we were doing: "sending RCPT TO". */
  phase: string;
  /** The rule that made it final: "5xx: not tried again". */
  rule: string;
  /** Whom we talked to, where it came to that. */
  endpoint?: Endpoint;
  /** The last word of the other side. */
  reply?: Reply;
  /** Milliseconds since the epoch. */
  lastAttemptAt: number;
  /** The sender wants no report of failure about this recipient (NOTIFY, RFC 3461 §5.2.6 b). */
  unwanted?: true;
  /** An attempt ended without an answer to the whole message: it may be there all the same. */
  mayHaveArrived?: true;
}

/** One whose message is tried again. */
export interface DelayedRecipient extends Omit<FailedRecipient, 'unwanted' | 'mayHaveArrived'> {
  /** No attempt is made after this moment, in ms since the epoch. */
  willRetryUntil: number;
  /** It was refused for good, but in a way that often changes within a day. */
  mayHeal?: true;
}

/** Text from others on one line: controls, which could forge a field or drive a terminal, become spaces. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it removes.
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim();
}

/** The reply as it came over the wire, a line each: `550-5.1.1 first`, `550 5.1.1 last`. */
export function diagnosticLines({ code, enhanced, lines }: Reply): string[] {
  const status = enhanced === undefined ? '' : `${enhanced} `;
  return lines.map(
    (line, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${status}${oneLine(line)}`,
  );
}

/** `mx.example.net [192.0.2.1], port 25`. */
export function endpointText({ host, address, port }: Endpoint): string {
  return `${oneLine(host)} [${address}], port ${port}`;
}
