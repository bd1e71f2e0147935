/**
 * One milter beside one session of a client's. It is dialled when the client names its first sender, and told then what it
 * would have heard before; connections that never send are none of its business. Whatever it does wrong ends up as a fact.
 */

import type { FilterConfig } from '../../config/filter.ts';
import type { AddedField } from '../../filter/added-fields.ts';
import type { FilterFact, MilterFact, UnknownFact } from '../../filter/fact.ts';
import type { MilterAnswer } from '../../filter/milter/answers.ts';
import type { Macros } from '../../filter/milter/macros.ts';
import {
  type MilterClient,
  type MilterMessage,
  MilterSession,
  stageWords,
} from '../../filter/milter/session.ts';
import { Deadline, FilterError, type OpenFilterStream } from '../../filter/stream.ts';
import type { Clock } from '../../util/clock.ts';

export interface MilterLinkParts {
  config: FilterConfig;
  open: OpenFilterStream;
  clock: Clock;
  /** Tells whether it works. */
  onFact(fact: Pick<UnknownFact, 'name' | 'unknown' | 'problem' | 'whenDown'> | undefined): void;
}

/** What is known of the client, and what it said of itself. */
export interface MilterGreeting {
  client: MilterClient;
  helo: string;
  /** Of the connection and of HELO. */
  macros: Macros;
}

export interface MilterEnvelopePart {
  path: string;
  parameters: readonly string[];
  macros: Macros;
}

type Standing = Pick<MilterFact, 'verdict' | 'stage' | 'reply'>;

/** What is decided before the message is there; undefined while nothing is. */
export type EarlyAnswer = { decided: Standing } | { unknown: UnknownFact } | undefined;

export class MilterLink {
  readonly #parts: MilterLinkParts;
  #session: MilterSession | undefined;
  /** What it has been told of the client. */
  #greeted = '';
  /** It has decided about this client, whatever follows. */
  #client: Standing | undefined;
  /** It has decided about this message, or failed. */
  #message: EarlyAnswer;
  #spentMs = 0;

  constructor(parts: MilterLinkParts) {
    this.#parts = parts;
  }

  /** Begins a message. */
  async mail(greeting: MilterGreeting, sender: MilterEnvelopePart): Promise<EarlyAnswer> {
    this.#spentMs = 0;
    this.#message = undefined;
    return this.#early(async (deadline) => {
      const known = this.#session;
      if (known === undefined) return this.#begin(await this.#open(deadline), { greeting, sender, deadline });
      try {
        return await this.#begin(known, { greeting, sender, deadline });
      } catch (error) {
        // A filter may close a connection over which it has heard nothing for long.
        if (!(error instanceof FilterError) || error.kind !== 'down') throw error;
        return this.#begin(await this.#open(deadline), { greeting, sender, deadline });
      }
    });
  }

  async #begin(
    session: MilterSession,
    {
      greeting,
      sender,
      deadline,
    }: { greeting: MilterGreeting; sender: MilterEnvelopePart; deadline: Deadline },
  ): Promise<Standing | undefined> {
    this.#session = session;
    this.#client ??= await this.#greet(session, greeting, deadline);
    return this.#client ?? standing(await session.mail(sender, sender.macros, deadline), 'MAIL');
  }

  /** A refusal is about this recipient alone, and the message goes on without it. */
  async recipient(recipient: MilterEnvelopePart): Promise<EarlyAnswer> {
    if (this.#message !== undefined || this.#session === undefined) return undefined;
    const session = this.#session;
    const early = await this.#early(async (deadline) =>
      standing(await session.recipient(recipient, recipient.macros, deadline), 'RCPT'),
    );
    if (early && 'decided' in early && isRefusal(early.decided)) this.#message = undefined;
    return early;
  }

  /** Shows the message; resolves to the fact, and to the fields in front of the message from then on. */
  async message(
    message: MilterMessage,
    macros: Macros,
  ): Promise<{ fact: FilterFact; fields: readonly AddedField[] }> {
    const { name } = this.#parts.config;
    const { fields } = message;
    const early = this.#message;
    if (early !== undefined && 'unknown' in early) return { fact: early.unknown, fields };
    if (early !== undefined) return { fact: this.#fact(early.decided), fields };
    const session = this.#session;
    if (session === undefined) throw new Error(`the milter ${name} was told of no sender`);
    const result = await this.#work((deadline) => session.message(message, macros, deadline));
    if ('unknown' in result) return { fact: result.unknown, fields };
    const { answer, stage, changes } = result.value;
    const { added, notDone, quarantine, wantsOtherBody } = changes;
    const fact: MilterFact = {
      ...this.#fact(standing(answer, stage) ?? { verdict: 'accept', stage }),
      ...(added.length > 0 && { added }),
      ...(notDone.length > 0 && { notDone }),
      ...(quarantine !== undefined && { quarantine }),
      ...(wantsOtherBody && { wantsOtherBody }),
    };
    return { fact, fields: changes.fields };
  }

  /** What is said of a message that is not shown to it. */
  tooLarge(problem: string): UnknownFact {
    const { name, kind } = this.#parts.config;
    return { name, kind, durationMs: this.#spentMs, unknown: 'tooLarge', problem, whenDown: 'accept' };
  }

  /** The client has gone. */
  close(): void {
    const session = this.#session;
    this.#session = undefined;
    void session?.quit(this.#parts.config.times.stageMs);
  }

  async #open(deadline: Deadline): Promise<MilterSession> {
    this.#greeted = '';
    const stream = await this.#parts.open(this.#parts.config.place, deadline.leftMs());
    return MilterSession.open(stream, deadline);
  }

  /** Says what has not been said yet: after STARTTLS, a client introduces itself anew. */
  async #greet(
    session: MilterSession,
    { client, helo, macros }: MilterGreeting,
    deadline: Deadline,
  ): Promise<Standing | undefined> {
    const introduction = `${helo} ${macros.tls_version ?? ''}`;
    if (this.#greeted === introduction) return undefined;
    const isNew = this.#greeted === '';
    this.#greeted = introduction;
    const first = isNew
      ? standing(await session.connect(client, macros, deadline), stageWords.connect)
      : undefined;
    return first ?? standing(await session.helo(helo, macros, deadline), stageWords.helo);
  }

  async #early(ask: (deadline: Deadline) => Promise<Standing | undefined>): Promise<EarlyAnswer> {
    const result = await this.#work(ask);
    if ('unknown' in result) this.#message = result;
    else this.#message = result.value && { decided: result.value };
    return this.#message;
  }

  /** Measures, and makes a fact of what goes wrong. */
  async #work<T>(ask: (deadline: Deadline) => Promise<T>): Promise<{ value: T } | { unknown: UnknownFact }> {
    const { clock, config, onFact } = this.#parts;
    const startedAt = clock.now();
    try {
      const value = await ask(new Deadline(clock.now, config.times));
      onFact(undefined);
      return { value };
    } catch (error) {
      this.#session?.close();
      this.#session = undefined;
      if (!(error instanceof FilterError)) throw error; // our own copy cannot be read
      const { name, kind, whenDown } = config;
      const durationMs = this.#spentMs + clock.now() - startedAt;
      const unknown: UnknownFact = {
        name,
        kind,
        durationMs,
        unknown: error.kind,
        problem: error.message,
        whenDown,
      };
      onFact(unknown);
      return { unknown };
    } finally {
      this.#spentMs += clock.now() - startedAt;
    }
  }

  #fact({ verdict, stage, reply }: Standing): MilterFact {
    const { name } = this.#parts.config;
    return { name, kind: 'milter', durationMs: this.#spentMs, verdict, stage, ...(reply && { reply }) };
  }
}

export const isRefusal = ({ verdict }: Pick<Standing, 'verdict'>): boolean =>
  verdict === 'reject' || verdict === 'tempfail';

/** Undefined where the filter wants to hear more. */
function standing(answer: MilterAnswer, stage: string): Standing | undefined {
  if (answer.verdict === 'continue') return undefined;
  const reply = 'reply' in answer ? answer.reply : undefined;
  return { verdict: answer.verdict, stage, ...(reply && { reply }) };
}
