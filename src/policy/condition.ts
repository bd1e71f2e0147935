/**
 * What a condition of a policy is: a question about the facts that has four answers. It looks at nothing else, so that the
 * same facts give the same answer a month later.
 */

import type { Reply } from '../smtp/reply.ts';
import type { DmarcOutcome } from './dmarc-outcome.ts';
import type { FactName, Facts, RecipientFacts } from './facts.ts';

/** What is judged. */
export interface Case {
  facts: Facts;
  recipient: RecipientFacts;
  /** The mailbox's own patterns of senders. */
  lists: SenderLists;
  /** Which of the possible outcomes of DMARC is looked into. */
  dmarc: DmarcOutcome;
}

export interface SenderLists {
  block: readonly string[];
  allow: readonly string[];
}

/**
 * `open`: not known yet, and it may be later: the message is asked back where the answer would change what happens.
 * `unknown`: it was not looked for, or cannot be found out; the check counts as one that does not hold, and is told.
 */
export type Holds = 'yes' | 'no' | 'open' | 'unknown';

export interface Finding {
  holds: Holds;
  /** The input that decided, in words: continues "Junk: …". */
  why: string;
}

/** In which words it may be configured, besides its name: `name:argument`. */
export interface ArgumentRule {
  /** What it stands for, in words. */
  about: string;
  /** The only ones there are; absent: any that `isValid`. */
  words?: readonly string[];
  isValid?(argument: string): boolean;
  /** One that is right, for error messages. */
  example: string;
  optional?: true;
}

export interface Condition {
  /** One line for people: "holds where …". */
  about: string;
  argument?: ArgumentRule;
  /** Facts that it cannot do without. */
  needs: readonly FactName[];
  /** Called only where these are there. `argument` is '' where there is none. */
  find(judged: Case, argument: string): Finding;
  /** How it would have to be not to hold, where that can be said: continues "would be in the Inbox if …". */
  remedy?(judged: Case, argument: string): string;
  /** What a refused client is told, in place of the finding's words; each line at most 490 octets. */
  refusal?(judged: Case, argument: string): readonly string[];
  /** All of the reply, where another has words for it; asked before `refusal`. */
  reply?(judged: Case, argument: string): Reply | undefined;
  /** What has to be looked up while it is open, in a few words for the client. */
  openName?(judged: Case, argument: string): string;
}

export const yes = (why: string): Finding => ({ holds: 'yes', why });
export const no = (why: string): Finding => ({ holds: 'no', why });
export const open = (why: string): Finding => ({ holds: 'open', why });
export const unknown = (why: string): Finding => ({ holds: 'unknown', why });
