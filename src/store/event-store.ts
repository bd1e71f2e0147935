/** What the store keeps of the past: the entries of dossiers. What they mean is dossier/event.ts's. */

/**
 * An entry of a message's dossier. `data` must survive JSON. The vocabulary is in dossier/event.ts. `trace` finds it by
 * its recipient and by the addresses and the Message-ID in the fields `from`, `to` and `messageId` of its data; the
 * events of a new message by that message's too.
 */
export interface EventRow {
  at: number;
  queueId: string;
  recipient?: string;
  event: string;
  data: Record<string, unknown>;
}

/** The first criterion that is given counts; with none, all messages match. */
export interface TraceQuery {
  queueId?: string;
  /** With angle brackets. */
  messageId?: string;
  /** A sender's or recipient's address, lower-case. */
  address?: string;
  /** Newest dossiers first, at most this many. */
  limit: number;
}

/** Events of the past. */
export interface EventPage {
  events: EventRow[];
  /** Absent where there are none before these. */
  next?: number;
}

/** How much of the past is kept. */
export interface Retention {
  /** Events older than this moment go. */
  before: number;
  /** The oldest go until the events' data is below this. */
  maxBytes: number;
}

export interface EventStore {
  appendEvents(events: EventRow[]): Promise<void>;
  /** The events of matching messages, in order of time within each message. */
  trace(query: TraceQuery): Promise<EventRow[]>;
  /** Whether a message of this Message-ID, with its angle brackets, left from here. Cheap however long the past is. */
  isSentFromHere(messageId: string): Promise<boolean>;
  /** The newest events first, those that were written together in order; from `before`, the `next` of the page before, on. */
  readEvents(page: { before?: number; limit: number }): Promise<EventPage>;
  /** Removes old events in bounded steps; resolves to how many went. */
  pruneEvents(retention: Retention): Promise<number>;
}
