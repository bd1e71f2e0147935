/** What a server is found to have after a restart, once it has worked off its queue: all that a verdict rests on. */

import type { Taken } from '../script/stranger.ts';

export interface FoundMail {
  account: string;
  /** The file's name in `new/` or `cur/`. */
  name: string;
  octets: Buffer;
}

export interface Findings {
  /** Why it did not start, or did not come to its end. What follows is then not to be relied on. */
  failure?: string;
  /** SQLite's `quick_check`: `ok`, or what is wrong. */
  check: string;
  accounts: readonly string[];
  mail: readonly FoundMail[];
  /** What it has sent to the remote server since the restart. */
  sent: readonly Taken[];
  /** Recipients whose jobs did not end. */
  unfinished: readonly string[];
  /** Files in the spool that should be gone by now. */
  spool: readonly string[];
  /** The dossiers of messages, by queue id. */
  dossiers: ReadonlyMap<string, readonly DossierLine[]>;
}

export interface DossierLine {
  event: string;
  recipient?: string;
}

export const nothingFound: Findings = {
  check: '',
  accounts: [],
  mail: [],
  sent: [],
  unfinished: [],
  spool: [],
  dossiers: new Map(),
};
