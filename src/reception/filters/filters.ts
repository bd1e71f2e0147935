/**
 * The filters beside a server: who is shown what, and when. Milters hear of a message as it comes, command by command, and
 * one after the other; rspamd and clamd see it when all is there, at the same time. What they said comes back as facts, and
 * what they want in front of the message; what follows from it is filter/decide.ts.
 */

import type { IprevVerdict } from '../../authentication/verdicts.ts';
import type { FilterConfig } from '../../config/filter.ts';
import type { Resolver } from '../../dns/resolver.ts';
import type { AddedField } from '../../filter/added-fields.ts';
import type { FilterFact, UnknownFact } from '../../filter/fact.ts';
import type { OpenFilterStream } from '../../filter/stream.ts';
import type { PostToFilter } from '../../net/http-post.ts';
import type { Parameters } from '../../smtp/command.ts';
import type { Reply } from '../../smtp/reply.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { MaybePromise } from '../../util/maybe-promise.ts';
import type { Screen, ScreenedRecipient, Session, Transaction } from '../door.ts';
import { askClamd } from './ask-clamd.ts';
import { askRspamd } from './ask-rspamd.ts';
import { type Refused, refusalIn, refusedEvent } from './early-refusal.ts';
import { bodyOf, type FilteredMessage, tooLarge } from './filtered-message.ts';
import { FilterHealth } from './health.ts';
import { type EarlyAnswer, MilterLink } from './milter-link.ts';
import { clientName, recipientMacros, senderMacros, sessionMacros } from './milter-macros.ts';
import { findReverseName } from './reverse-name.ts';

export interface FiltersParts {
  filters: readonly FilterConfig[];
  hostname: string;
  open: OpenFilterStream;
  post: PostToFilter;
  resolver: Resolver;
  store: Pick<Store, 'appendEvents'>;
  clock: Clock;
  log: Log;
}

export interface Filtered {
  /** In the order of the configuration. */
  facts: FilterFact[];
  /** What filters have put in front of the message. */
  fields: AddedField[];
}

/** What the filters of one session have in common. */
interface Beside {
  milters: ReadonlyMap<FilterConfig, MilterLink>;
  iprev: Promise<IprevVerdict> | undefined;
  /** Questions under way: who has gone meanwhile may have left a message behind, which is looked at to its end. */
  working: number;
  isClosed: boolean;
}

export class Filters implements Screen {
  readonly #parts: FiltersParts;
  readonly #health: FilterHealth;
  readonly #sessions = new WeakMap<Session, Beside>();

  constructor(parts: FiltersParts) {
    this.#parts = parts;
    this.#health = new FilterHealth(parts);
  }

  /** MAIL was let pass otherwise. Undefined lets it pass here. */
  sender(
    session: Session,
    transaction: Transaction,
    parameters: Parameters,
  ): MaybePromise<Reply | undefined> {
    if (!this.#hasMilters(session)) return undefined;
    return this.#working(session, () => this.#sender(session, transaction, parameters));
  }

  /** The same for a recipient: `address` as the client has it, and who that is. */
  recipient(
    session: Session,
    transaction: Transaction,
    recipient: ScreenedRecipient,
  ): MaybePromise<Reply | undefined> {
    if (!this.#hasMilters(session)) return undefined;
    return this.#working(session, () => this.#recipient(session, transaction, recipient));
  }

  /** Undefined where no filter is to see it. Rejects where the message cannot be read. */
  message(
    session: Session,
    transaction: Transaction,
    message: FilteredMessage,
  ): Promise<Filtered> | undefined {
    const filters = this.#filtersOf(session);
    if (filters.length === 0) return undefined;
    return this.#working(session, () => this.#message(filters, { session, transaction, message }));
  }

  /** The client has gone. */
  closed(session: Session): void {
    const beside = this.#sessions.get(session);
    if (beside === undefined) return;
    beside.isClosed = true;
    if (beside.working === 0) closeAll(beside);
  }

  async #working<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const beside = this.#besideOf(session);
    beside.working += 1;
    try {
      return await work();
    } finally {
      beside.working -= 1;
      if (beside.isClosed && beside.working === 0) closeAll(beside);
    }
  }

  /** Mail from outside is for all, that of our own for those who are to see it. */
  #filtersOf({ via, trusted }: Session): readonly FilterConfig[] {
    const { filters } = this.#parts;
    if (via === 'control') return [];
    return via === 'smtp' && !trusted ? filters : filters.filter(({ submission }) => submission);
  }

  #hasMilters(session: Session): boolean {
    return this.#filtersOf(session).some(({ kind }) => kind === 'milter');
  }

  #besideOf(session: Session): Beside {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const { open, clock } = this.#parts;
    const milters = this.#filtersOf(session).filter(({ kind }) => kind === 'milter');
    const linkOf = (config: FilterConfig): MilterLink =>
      new MilterLink({ config, open, clock, onFact: (fact) => this.#note(config.name, fact) });
    const beside: Beside = {
      milters: new Map(milters.map((each) => [each, linkOf(each)])),
      iprev: undefined,
      working: 0,
      isClosed: false,
    };
    this.#sessions.set(session, beside);
    return beside;
  }

  #note(
    name: string,
    fact: Pick<UnknownFact, 'name' | 'unknown' | 'problem' | 'whenDown'> | undefined,
  ): void {
    if (fact === undefined) this.#health.worked(name);
    else if (fact.unknown !== 'tooLarge') this.#health.failed(fact);
  }

  async #sender(
    session: Session,
    transaction: Transaction,
    parameters: Parameters,
  ): Promise<Reply | undefined> {
    const { hostname } = this.#parts;
    const { peer, hello } = session;
    const iprev = await this.#iprevOf(session);
    const macros = sessionMacros(hostname, session, iprev);
    const client = { hostname: clientName(peer.address, iprev), address: peer.address, port: peer.port };
    const greeting = { client, helo: hello?.name ?? '', macros };
    const sender = {
      path: `<${transaction.reversePath}>`,
      parameters: wordsOf(parameters),
      macros: { ...macros, ...senderMacros(session, transaction) },
    };
    return this.#firstRefusal({ session, transaction }, (milter) => milter.mail(greeting, sender));
  }

  #recipient(
    session: Session,
    transaction: Transaction,
    { address, parameters, found }: ScreenedRecipient,
  ): Promise<Reply | undefined> {
    const macros = recipientMacros(transaction, address, found);
    const recipient = { path: `<${address}>`, parameters: wordsOf(parameters), macros };
    const refused = { session, transaction, recipient: address };
    return this.#firstRefusal(refused, (milter) => milter.recipient(recipient));
  }

  /** Those after it do not hear of what is refused. */
  async #firstRefusal(
    refused: Omit<Refused, 'at'>,
    ask: (milter: MilterLink) => Promise<EarlyAnswer>,
  ): Promise<Reply | undefined> {
    const { store, clock } = this.#parts;
    for (const [{ name }, milter] of this.#besideOf(refused.session).milters) {
      const refusal = refusalIn(name, await ask(milter));
      if (refusal === undefined) continue;
      await store.appendEvents([refusedEvent({ ...refused, at: clock.now() }, refusal)]);
      return refusal.reply;
    }
    return undefined;
  }

  async #message(filters: readonly FilterConfig[], shown: Shown): Promise<Filtered> {
    const isMilter = ({ kind }: FilterConfig) => kind === 'milter';
    const [byMilters, ...others] = await Promise.all([
      this.#throughMilters(filters.filter(isMilter), shown),
      ...filters.filter((filter) => !isMilter(filter)).map((filter) => this.#ask(filter, shown)),
    ]);
    const place = new Map(filters.map(({ name }, index) => [name, index]));
    const placeOf = ({ name }: FilterFact): number => place.get(name) ?? filters.length;
    return {
      facts: [...byMilters.facts, ...others.map(({ fact }) => fact)].sort((a, b) => placeOf(a) - placeOf(b)),
      fields: [...byMilters.fields, ...others.flatMap(({ fields }) => fields)],
    };
  }

  async #throughMilters(
    milters: readonly FilterConfig[],
    { session, transaction, message }: Shown,
  ): Promise<Filtered> {
    const { milters: links } = this.#besideOf(session);
    const facts: FilterFact[] = [];
    let fields: readonly AddedField[] = [];
    for (const config of milters) {
      const link = links.get(config);
      if (link === undefined) continue;
      const problem = tooLarge(config, message.content);
      if (problem !== undefined) {
        facts.push(link.tooLarge(problem));
        continue;
      }
      const shown = { fields, header: message.header, body: bodyOf(message) };
      const seen = await link.message(shown, senderMacros(session, transaction));
      facts.push(seen.fact);
      fields = seen.fields;
    }
    return { facts, fields: [...fields] };
  }

  async #ask(config: FilterConfig, shown: Shown): Promise<{ fact: FilterFact; fields: AddedField[] }> {
    const { name, kind } = config;
    const problem = tooLarge(config, shown.message.content);
    if (problem !== undefined) {
      const fact: FilterFact = {
        name,
        kind,
        durationMs: 0,
        unknown: 'tooLarge',
        problem,
        whenDown: 'accept',
      };
      return { fact, fields: [] };
    }
    const { content } = shown.message;
    const answer =
      kind === 'clamd'
        ? { fact: await askClamd(this.#parts, config, content), fields: [] }
        : await askRspamd(this.#parts, config, {
            ...shown,
            content,
            iprev: await this.#iprevOf(shown.session),
          });
    this.#note(name, 'unknown' in answer.fact ? answer.fact : undefined);
    return answer;
  }

  /** Looked up once for each session. */
  #iprevOf(session: Session): Promise<IprevVerdict> {
    const beside = this.#besideOf(session);
    beside.iprev ??= findReverseName(this.#parts, session.peer.address);
    return beside.iprev;
  }
}

function closeAll({ milters }: Beside): void {
  for (const milter of milters.values()) milter.close();
}

interface Shown {
  session: Session;
  transaction: Transaction;
  message: FilteredMessage;
}

const wordsOf = (parameters: Parameters): string[] =>
  [...parameters].map(([name, value]) => (value === '' ? name : `${name}=${value}`));
