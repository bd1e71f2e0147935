/** Requests and answers about the past: dossiers, judgements, and what others reported of us. */

import type { DossierEvent } from '../../dossier/event.ts';
import type { ReportKind } from '../../store/report-store.ts';

export interface TraceRequest {
  /** A queue id, a Message-ID with or without its angle brackets, or the address of a sender or recipient. */
  subject: string;
  /** Dossiers at most, newest first. */
  limit: number;
}

export interface JudgedRequest {
  /** `next` of the page before. */
  before?: number;
  /** Entries of the log looked at, at most. */
  limit: number;
}

/** Those of the log's events that say what was known of mail from outside, and what was made of it. */
export interface JudgedPage {
  events: DossierEvent[];
  /** When the oldest of the entries that were looked at was written, ms since the epoch; absent: there are none. */
  reachedBack?: number;
  next?: number;
}

export interface ReportsRequest {
  kind: ReportKind;
  domain?: string;
  /** Reports on what was before are left out: ms since the epoch. */
  since: number;
  /** `next` of the page before. */
  after?: number;
  limit: number;
}
