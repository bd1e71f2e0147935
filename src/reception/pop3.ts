/**
 * Answers a POP3 session's events: who may open which mailbox, one session at a time (RFC 1939 §4), and what becomes of
 * its messages. Nothing in the mailbox changes before QUIT (§6): a connection that breaks has changed nothing. Knows no
 * commands (pop3/) and no file names (store/mailbox.ts).
 */

import type { Application, Peer } from '../net/machine.ts';
import type { Pop3Answer, Pop3Event } from '../pop3/event.ts';
import { firstLines } from '../pop3/top.ts';
import { errorCode } from '../store/errors.ts';
import { listMaildir, type MailboxEntry, readEntry, removeEntries } from '../store/mailbox.ts';
import type { Log } from '../util/log.ts';
import { type Login, type LoginOutcome, suspendedText } from './login.ts';
import { markSeen } from './mark-seen.ts';

export interface Pop3Parts {
  login: Login;
  /** Path of an account's Maildir. */
  maildirOf(account: string): string;
  /** Accounts whose mailbox is open in some session: one set for all POP3 sessions of a server. */
  openMailboxes: Set<string>;
  log: Log;
}

/** Decides for one connection. */
export function pop3Application(parts: Pop3Parts, peer: Peer): Application<Pop3Event, Pop3Answer> {
  return new Pop3Application(parts, peer);
}

/** A message on its way to the client. */
interface Reading {
  entry: MailboxEntry;
  /** All of it, not just what TOP shows. */
  whole: boolean;
  pieces: AsyncIterator<Buffer>;
  /** The first piece, read before the client is told that the message comes. */
  first: Promise<IteratorResult<Buffer>> | undefined;
}

class Pop3Application implements Application<Pop3Event, Pop3Answer> {
  readonly #parts: Pop3Parts;
  readonly #log: Log;
  /** The account whose mailbox this session holds. */
  #account: string | undefined;
  /** The mailbox as it was at login; a message's number is its place here, from 1. */
  #entries: readonly MailboxEntry[] = [];
  #reading: Reading | undefined;
  /** Messages that went out whole. */
  readonly #retrieved = new Set<MailboxEntry>();
  #updating = false;
  #gone = false;

  constructor(parts: Pop3Parts, peer: Peer) {
    this.#parts = parts;
    this.#log = parts.log.child({ client: peer.address });
  }

  /** Never rejects: a problem of ours is `[SYS/TEMP]`, and the client comes again. */
  async handle(event: Pop3Event): Promise<Pop3Answer> {
    try {
      return await this.#decide(event);
    } catch (error) {
      this.#log.error({ err: error, account: this.#account, event: event.type }, 'internal error in POP3');
      return { kind: 'refused', code: 'SYS/TEMP', text: 'The server has a problem; try again later' };
    }
  }

  /** A session that has said QUIT has its changes made, even if it did not wait for them. */
  closed(): void {
    this.#gone = true;
    this.#stopReading();
    if (!this.#updating) this.#release();
  }

  async #decide(event: Pop3Event): Promise<Pop3Answer> {
    switch (event.type) {
      case 'connect':
      case 'drain':
        return { kind: 'ok' };
      case 'login':
        return this.#login(await this.#parts.login(event.claim));
      case 'retrieve':
        return this.#retrieve(event.number, event.bodyLines);
      case 'more':
        return this.#more();
      case 'commit':
        return this.#commit(event.deleted);
    }
  }

  // Login

  async #login(outcome: LoginOutcome): Promise<Pop3Answer> {
    switch (outcome.kind) {
      case 'wrong':
        return outcome.why === undefined
          ? { kind: 'refused', code: 'AUTH', text: 'Wrong user or password', close: outcome.last }
          : { kind: 'refused', code: 'SYS/TEMP', text: outcome.why, close: outcome.last };
      case 'challenge':
        return outcome;
      case 'suspended':
        return { kind: 'refused', code: 'AUTH', text: `${suspendedText}; ask your postmaster` };
      case 'malformed':
        return { kind: 'refused', text: `AUTH failed: ${outcome.text}` };
      case 'busy': {
        const { why = 'Too many logins at once; try again later' } = outcome;
        return { kind: 'refused', code: 'SYS/TEMP', text: why };
      }
      case 'welcome':
        return this.#open(outcome.account);
    }
  }

  async #open(account: string): Promise<Pop3Answer> {
    if (!this.#acquire(account)) {
      const text = 'Another session has this mailbox open; try again when it has ended';
      return { kind: 'refused', code: 'IN-USE', text };
    }
    const closed: string[] = [];
    try {
      this.#entries = await listMaildir(this.#parts.maildirOf(account), (path) => closed.push(path));
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#log.info({ account, messages: this.#entries.length }, 'POP3 session begins');
    if (closed.length > 0)
      this.#log.warn(
        { account, messages: closed.length, file: closed[0] },
        'messages are hidden: the user that the server runs as may not read their files (chown -R)',
      );
    return {
      kind: 'maildrop',
      messages: this.#entries.map(({ sizeBytes, unique }) => ({ sizeBytes, uniqueId: unique })),
    };
  }

  /** A session that went away while its password was checked gets nothing: nobody would give it back. */
  #acquire(account: string): boolean {
    if (this.#gone || this.#parts.openMailboxes.has(account)) return false;
    this.#parts.openMailboxes.add(account);
    this.#account = account;
    return true;
  }

  #release(): void {
    if (this.#account !== undefined) this.#parts.openMailboxes.delete(this.#account);
    this.#account = undefined;
  }

  // Messages

  async #retrieve(number: number, bodyLines: number | undefined): Promise<Pop3Answer> {
    const entry = this.#entry(number);
    const content = readEntry(entry);
    const shown = bodyLines === undefined ? content : firstLines(content, bodyLines);
    const pieces = shown[Symbol.asyncIterator]();
    const first = pieces.next();
    this.#reading = { entry, whole: bodyLines === undefined, pieces, first };
    try {
      await first;
    } catch (error) {
      this.#reading = undefined;
      if (errorCode(error) !== 'ENOENT') throw error;
      return { kind: 'refused', text: `Message ${number} is gone; another program removed it` };
    }
    return { kind: 'ok' };
  }

  async #more(): Promise<Pop3Answer> {
    const reading = this.#reading;
    if (reading === undefined) throw new Error('no message is being read');
    const { done, value } = await (reading.first ?? reading.pieces.next());
    reading.first = undefined;
    if (!done) return { kind: 'chunk', bytes: value };
    this.#reading = undefined;
    if (reading.whole) this.#retrieved.add(reading.entry);
    return { kind: 'end' };
  }

  /** Closes the file of a message that the client did not wait for. */
  #stopReading(): void {
    const closing = this.#reading?.pieces.return?.();
    closing?.catch((error) => this.#log.warn({ err: error }, 'cannot close a message'));
    this.#reading = undefined;
  }

  #entry(number: number): MailboxEntry {
    const entry = this.#entries[number - 1];
    if (entry === undefined) throw new Error(`no message has the number ${number}`);
    return entry;
  }

  // QUIT

  async #commit(deleted: readonly number[]): Promise<Pop3Answer> {
    this.#updating = true;
    try {
      return await this.#update(deleted.map((number) => this.#entry(number)));
    } finally {
      this.#release();
    }
  }

  /**
   * Removes what was marked. What went out whole and stays is marked as seen, as other POP3 servers do, so that other
   * readers of this mailbox do not show it as new; only now, since a client that broke off may not have got it.
   */
  async #update(deleted: readonly MailboxEntry[]): Promise<Pop3Answer> {
    try {
      await removeEntries(deleted);
    } catch (error) {
      this.#log.error({ err: error, account: this.#account }, 'cannot remove messages');
      const text = 'Not all deleted messages could be removed; delete them again later';
      return { kind: 'refused', code: 'SYS/TEMP', text };
    }
    const removed = new Set(deleted);
    try {
      await markSeen([...this.#retrieved].filter((entry) => !removed.has(entry)));
    } catch (error) {
      this.#log.warn({ err: error, account: this.#account }, 'cannot mark messages as seen');
    }
    this.#log.info({ account: this.#account, removed: removed.size }, 'POP3 session done');
    return { kind: 'ok' };
  }
}
