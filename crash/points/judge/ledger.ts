/**
 * What the server has promised and to whom, read from what it said and heard: the debt that a restart must be able to pay.
 * Follows the records of a recording one by one. Knows nothing of disks.
 */

import type { LogRecord } from '../../recorder/log.ts';
import type { Facts } from '../recording.ts';
import { tokenIn } from '../script/letters.ts';
import { readRefusal, readTakenReply } from '../script/stranger.ts';

/** One recipient of one letter, as a key of maps. */
export type Errand = string;

export const errand = (token: string, recipient: string): Errand => `${token} to ${recipient}`;

/** An event that the server's log has told. */
export interface Told {
  queueId: string;
  recipient: string;
  event: string;
}

/** What is known of one connection of whichever kind. */
interface Talk {
  token?: string;
  /** SMTP to the remote server: those of the transaction. POP3: the tokens of what is marked as deleted. */
  named: string[];
  /** POP3: the letters by their numbers. The control socket: what was asked for. */
  asked: string[];
  quit?: boolean;
}

export class Ledger {
  /** Queue ids of the letters that were acknowledged, by token. */
  readonly acknowledged = new Map<string, string>();
  readonly accounts = new Set<string>();
  /** How often the remote server is known to have taken a letter. */
  readonly relayed = new Map<Errand, number>();
  /** The letter has gone out to the remote server, and the server's log has not told yet what became of it. */
  readonly inFlight = new Set<Errand>();
  /** How often an earlier run ended while the letter was in flight. */
  readonly interrupted = new Map<Errand, number>();
  readonly told: Told[] = [];
  /** Letters whose deletion a POP3 client has asked for by QUIT, and of those the ones that the server has confirmed. */
  readonly deleting = new Set<string>();
  readonly deleted = new Set<string>();
  readonly #ports: Facts['ports'];
  readonly #talks = new Map<number, Talk>();
  readonly #tokens = new Map<string, string>();
  #process = 0;
  #unfinishedLine = '';

  constructor(ports: Facts['ports']) {
    this.#ports = ports;
  }

  follow(record: LogRecord): void {
    if (record.kind === 'said') return this.#output(record.descriptor, record.octets.toString());
    if (record.kind !== 'sent' && record.kind !== 'heard') return;
    if (record.port !== 0 || record.peerPort !== 0) this.#noteProcess(record.process);
    const text = record.octets.toString('latin1');
    const talk = this.#talks.get(record.connection) ?? { named: [], asked: [] };
    this.#talks.set(record.connection, talk);
    const theySay = record.kind === 'heard';
    if (record.port === this.#ports.smtp) this.#smtp(talk, text, theySay);
    else if (record.port === this.#ports.pop3) this.#pop3(talk, text, theySay);
    else if (record.peerPort === this.#ports.remote) this.#remote(talk, text, theySay);
    else if (record.port === 0) this.#control(talk, text, theySay);
  }

  /** Only the server itself talks over TCP: another process is its next run. */
  #noteProcess(process: number): void {
    if (process === this.#process) return;
    this.#process = process;
    this.#unfinishedLine = '';
    for (const key of this.inFlight) this.interrupted.set(key, (this.interrupted.get(key) ?? 0) + 1);
    this.inFlight.clear();
  }

  #smtp(talk: Talk, text: string, theySay: boolean): void {
    if (theySay) talk.token = tokenIn(text) ?? talk.token ?? '';
    else this.#acknowledge(talk.token, /^250 2\.0\.0 Queued as (\w+)/m.exec(text)?.[1]);
  }

  #acknowledge(token: string | undefined, queueId: string | undefined): void {
    if (token === undefined || queueId === undefined) return;
    this.acknowledged.set(token, queueId);
    this.#tokens.set(queueId, token);
  }

  #control(talk: Talk, text: string, theySay: boolean): void {
    if (theySay) {
      const request = /"operation":"(\w+)"/.exec(text);
      if (request) talk.asked = [request[1] ?? '', /"address":"([^"]+)"/.exec(text)?.[1] ?? ''];
      talk.token = tokenIn(text) ?? talk.token ?? '';
      return;
    }
    const [operation, address = ''] = talk.asked;
    if (!text.startsWith('{"result"') && text !== '{}\n') return;
    if (operation === 'addAccount') this.accounts.add(address);
    if (operation === 'send') this.#acknowledge(talk.token, /"queueId":"(\w+)"/.exec(text)?.[1]);
  }

  #remote(talk: Talk, text: string, theySay: boolean): void {
    if (theySay) return this.#remoteReply(talk, text);
    if (/^MAIL FROM:/m.test(text)) talk.named = [];
    talk.named.push(...[...text.matchAll(/^RCPT TO:<([^>]*)>/gm)].map(([, address = '']) => address));
    const token = tokenIn(text);
    if (token !== undefined) for (const recipient of talk.named) this.inFlight.add(errand(token, recipient));
  }

  #remoteReply({ named }: Talk, text: string): void {
    const refused = readRefusal(text);
    if (refused !== undefined)
      for (const recipient of named) this.inFlight.delete(errand(refused, recipient));
    const taken = readTakenReply(text);
    if (taken === undefined) return;
    for (const recipient of taken.recipients) {
      const key = errand(taken.token, recipient);
      this.relayed.set(key, (this.relayed.get(key) ?? 0) + 1);
    }
  }

  #pop3(talk: Talk, text: string, theySay: boolean): void {
    if (theySay) return this.#pop3Command(talk, text);
    if (talk.quit && text.startsWith('+OK')) for (const token of talk.named) this.deleted.add(token);
    const token = tokenIn(text);
    if (token !== undefined && talk.token !== undefined) talk.asked[Number(talk.token)] = token;
  }

  #pop3Command(talk: Talk, text: string): void {
    const [verb, number = '0'] = text.trim().split(' ');
    if (verb === 'RETR') talk.token = number;
    if (verb === 'DELE') talk.named.push(talk.asked[Number(number)] ?? '');
    if (verb !== 'QUIT') return;
    talk.quit = true;
    for (const token of talk.named) this.deleting.add(token);
  }

  #output(descriptor: number, text: string): void {
    if (descriptor === 1) {
      const account = /^(\S+@\S+): done$/m.exec(text)?.[1];
      if (account !== undefined) this.accounts.add(account);
      return;
    }
    const lines = (this.#unfinishedLine + text).split('\n');
    this.#unfinishedLine = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.#logLine(line);
  }

  /** A line of the server's log. */
  #logLine(line: string): void {
    const { queueId, recipient, msg } = JSON.parse(line) as {
      queueId?: string;
      recipient?: string;
      msg?: string;
    };
    if (queueId === undefined || recipient === undefined || msg === undefined || !outcomes.has(msg)) return;
    this.told.push({ queueId, recipient, event: msg });
    const token = this.#tokens.get(queueId);
    if (token !== undefined) this.inFlight.delete(errand(token, recipient));
  }
}

const outcomes = new Set(['delivered', 'deferred', 'failed']);
