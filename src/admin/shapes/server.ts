/** Requests and answers of a running server: messages that it is to send. */

import type { Refusal } from '../../reception/control.ts';
import type { DroppedEnvelope } from '../../store/drop-message.ts';

export interface SendRequest {
  /** `user@domain`; '' is the null sender. */
  from: string;
  recipients: string[];
  /** A complete message, CRLF line ends. */
  content: Buffer;
}

export interface SendResult {
  queueId: string;
  /** Recipients that the server did not take, and why; the others are in the queue. */
  refused: { recipient: string; reply: string }[];
}

/** A message that `posthorn sendmail` hands in over the administrator's socket, for a user of this machine. */
export interface HandInRequest {
  /** By which it is known again in the maildrop, if its sender does not hear the answer (drop-message.ts). */
  name: string;
  /** Whose it is: a number of this machine's users. */
  uid: number;
  envelope: DroppedEnvelope;
  /** A complete message, CRLF line ends. */
  content: Buffer;
}

export type HandInResult =
  | ({ kind: 'taken' } & SendResult)
  /** `why` is a sentence for people. */
  | { kind: 'refused'; because: Refusal; why: string };
