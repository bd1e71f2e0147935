/**
 * How clients behave: failed logins, recipients that nobody has, commands that are none. What one does counts for its client
 * and for its network; it is answered later and later, and beyond the limits the client, or its whole network, is banned
 * for a while. Only what a client does over a connection of its own counts: an address of TCP cannot be forged, but
 * names and senders can. Nothing good that it does takes anything back; time does.
 */

import { createHmac, randomBytes } from 'node:crypto';
import { type ClientNetworks, clientNetworks } from '../../net/client-networks.ts';
import type { Peer } from '../../net/machine.ts';
import type { Clock } from '../../util/clock.ts';
import { LeakyLevels } from '../../util/leaky-levels.ts';
import { type Bans, banWords } from './bans.ts';
import { Tarpit } from './tarpit.ts';

export type Offence = 'password' | 'recipient' | 'command';

export interface ConductLimits {
  /** What a client may do within an hour; 0: as much as it likes. */
  authFailures: number;
  badRecipients: number;
  badCommands: number;
  /** A network may do so many times as much as one client of it. */
  networkFactor: number;
}

export interface ConductParts {
  /** Asked each time: they may change. */
  limits(): ConductLimits;
  bans: Bans;
  clock: Clock;
  /** Addresses of which nothing is counted. */
  exempt(address: string): boolean;
}

export interface Attempt {
  user: string;
  password: string;
  /** The answer is to be no sooner. */
  leastMs: number;
}

/** What one client's session has to do with it. */
export interface Conduct {
  /** Why the client is to leave, in words: it has been banned meanwhile. */
  leave(): string | undefined;
  /** Waits as long as the answer is to be late; `leave` tells that it is to be the last one, and why. */
  failedLogin(attempt: Attempt): Promise<{ leave?: string; isRepeated: boolean }>;
  /** `isReport`: from the null sender. */
  badRecipient(options?: { isReport?: boolean }): Promise<{ leave?: string }>;
  badCommands(count: number): void;
  /** A message of it was taken. */
  broughtMail(): void;
}

const hour = 3600_000;
/** Clients, and networks, of which it is remembered what they did. */
export const maxRemembered = 20_000;
/** No answer is later than this. */
export const mostDelayMs = 30_000;
/** For each failed login of the last hour. */
const loginDelayMs = 1000;
/** Lists have members that are gone: so many bad recipients of an hour are answered at once, then each half a second later. */
export const freeRecipients = 5;
const recipientDelayMs = 500;
/**
 * Who brought mail that was taken within a day is a mail server, whose users' mistakes are not its own: each recipient that nobody
 * has counts so much. So does one of a report: whom it goes to, somebody else has forged, and may have to get the server banned.
 */
const strayRecipient = 0.25;
const day = 24 * hour;
/** Guesses of one client that are known again, and what one of those counts. */
const rememberedGuesses = 4;
const repeatedGuess = 0.05;

const words: Record<Offence, string> = {
  password: 'too many failed logins',
  recipient: 'too many recipients that nobody has here',
  command: 'too many commands that are none',
};

interface Tables {
  clients: LeakyLevels;
  networks: LeakyLevels;
}

export class Conducts {
  readonly #parts: ConductParts;
  readonly #tables: Record<Offence, Tables>;
  readonly #tarpit: Tarpit;
  readonly #mailServers = new LeakyLevels({ limit: 1, windowMs: day, maxNames: maxRemembered });
  /** Fingerprints of each client's last guesses. */
  readonly #guesses = new Map<string, string[]>();
  readonly #secret = randomBytes(32);

  constructor(parts: ConductParts) {
    this.#parts = parts;
    this.#tarpit = new Tarpit(parts.clock);
    const tables = (offence: Offence): Tables => {
      const common = { windowMs: hour, maxNames: maxRemembered };
      const limit = () => this.#limitOf(offence);
      const networks = new LeakyLevels({ ...common, limit: () => limit() * parts.limits().networkFactor });
      return { clients: new LeakyLevels({ ...common, limit }), networks };
    };
    this.#tables = {
      password: tables('password'),
      recipient: tables('recipient'),
      command: tables('command'),
    };
  }

  /** Sessions that wait for a late answer. */
  get delayed(): number {
    return this.#tarpit.waiting;
  }

  /** Clients of which something is remembered. */
  get remembered(): number {
    return Math.max(...Object.values(this.#tables).map(({ clients }) => clients.size));
  }

  /** A ban was lifted: what led to it is forgotten, or the next mistake would bring it back. */
  forget(network: string): void {
    for (const { clients, networks } of Object.values(this.#tables)) {
      clients.forget(network);
      networks.forget(network);
    }
  }

  /** Undefined for whom nothing is counted: trusted ones, and a proxy that speaks for nobody. */
  of({ address, proxy }: Peer): Conduct | undefined {
    const { bans, clock, exempt } = this.#parts;
    if (proxy?.speaksFor === 'nobody' || exempt(address)) return undefined;
    const networks = clientNetworks(address);
    const leave = () => {
      const ban = bans.find(address, networks);
      return ban && banWords(ban, clock.now());
    };
    const answerLater = async (delayMs: number): Promise<{ leave?: string }> => {
      const waited = delayMs <= 0 || (await this.#tarpit.delay(Math.min(delayMs, mostDelayMs)));
      const why = leave() ?? (waited ? undefined : 'too many mistakes; try again later');
      return why === undefined ? {} : { leave: why };
    };
    return {
      leave,
      failedLogin: ({ leastMs, ...guess }) => {
        const isRepeated = this.#isRepeated(networks, guess);
        const level = this.#count(networks, 'password', isRepeated ? repeatedGuess : 1);
        const late = answerLater(Math.max(leastMs, loginDelayMs * Math.round(level)));
        return late.then((answer) => ({ ...answer, isRepeated }));
      },
      badRecipient: ({ isReport = false } = {}) => {
        const isStray = isReport || this.#mailServers.level(networks.client, clock.now()) > 0;
        const level = this.#count(networks, 'recipient', isStray ? strayRecipient : 1);
        return answerLater(recipientDelayMs * (level - freeRecipients));
      },
      broughtMail: () => void this.#mailServers.add(networks.client, 1, clock.now()),
      badCommands: (count) => void this.#count(networks, 'command', count),
    };
  }

  #limitOf(offence: Offence): number {
    const { authFailures, badRecipients, badCommands } = this.#parts.limits();
    return { password: authFailures, recipient: badRecipients, command: badCommands }[offence];
  }

  /** Counts it, and bans who has done too much of it; returns the client's level. */
  #count({ client, network }: ClientNetworks, offence: Offence, amount: number): number {
    const tables = this.#tables[offence];
    if (this.#limitOf(offence) === 0 || amount === 0) return 0;
    const { bans, clock } = this.#parts;
    const now = clock.now();
    const level = tables.clients.add(client, amount, now);
    if (tables.clients.isOver(client, now)) bans.ban(client, words[offence]);
    tables.networks.add(network, amount, now);
    if (tables.networks.isOver(network, now)) bans.ban(network, `${words[offence]} from that network`);
    return level;
  }

  /** A program that keeps trying its user's old password guesses nothing, and must not get the whole house banned. */
  #isRepeated({ client }: ClientNetworks, { user, password }: { user: string; password: string }): boolean {
    const guess = createHmac('sha256', this.#secret)
      .update(`${user}\0${password}`)
      .digest('base64')
      .slice(0, 12);
    const known = this.#guesses.get(client) ?? [];
    const isKnown = known.includes(guess);
    this.#guesses.delete(client);
    const [oldest] = this.#guesses.size >= maxRemembered ? this.#guesses.keys() : [];
    if (oldest !== undefined) this.#guesses.delete(oldest);
    this.#guesses.set(client, [...known.filter((each) => each !== guess), guess].slice(-rememberedGuesses));
    return isKnown;
  }
}
