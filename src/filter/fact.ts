/**
 * What a filter said of one message, as plain data that is stored and shown: the input of a decision, never the decision.
 * Everything that a filter words itself is bounded.
 */

import type { Reply } from '../smtp/reply.ts';
import type { FilterFailure } from './stream.ts';

export type FilterKind = 'milter' | 'rspamd' | 'clamd';

export type FilterFact = MilterFact | RspamdFact | ClamdFact | UnknownFact;

interface Asked {
  /** As the configuration calls it. */
  name: string;
  /** From the first word to the last, this message only. */
  durationMs: number;
}

export interface MilterFact extends Asked {
  kind: 'milter';
  /** `discard`: it wanted the message accepted and thrown away. */
  verdict: 'accept' | 'reject' | 'tempfail' | 'discard';
  /** The command after which it was said: `MAIL`, `end of message` … */
  stage: string;
  /** What the client is to be told, where the milter has words for it. */
  reply?: Reply;
  /** Why it wants the message kept apart. */
  quarantine?: string;
  /** Names of the header fields that it has added. */
  added?: string[];
  /** What it asked for and we do not do to a message, in words. */
  notDone?: string[];
  /** Among that was another body: what it would have put there, nobody gets to see. */
  wantsOtherBody?: true;
}

export interface RspamdFact extends Asked {
  kind: 'rspamd';
  /** `no action`, `greylist`, `add header`, `rewrite subject`, `soft reject`, `reject`, or another that its rules know. */
  action: string;
  score: number;
  /** What `reject` takes. */
  required: number;
  /** Those that weigh most. */
  symbols: readonly { name: string; score: number }[];
  /** What the client is to be told, in the filter's words. */
  message?: string;
  added?: string[];
  notDone?: string[];
}

export interface ClamdFact extends Asked {
  kind: 'clamd';
  /** The signature that was found; absent where nothing was. */
  malware?: string;
}

/** Why nothing is known. */
export interface UnknownFact extends Asked {
  kind: FilterKind;
  /** `tooLarge`: the message was not shown to it. */
  unknown: FilterFailure | 'tooLarge';
  /** In words. */
  problem: string;
  /** What the configuration wants done with mail that the filter has not seen. */
  whenDown: 'accept' | 'defer';
}

export const isUnknown = (fact: FilterFact): fact is UnknownFact => 'unknown' in fact;
