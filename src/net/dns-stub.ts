/**
 * A stub resolver of our own: asks recursive name servers over UDP, and over TCP where an answer does not fit. Does not
 * remember answers (dns/cache.ts does) and does not validate signatures: it believes the AD bit of a resolver on this
 * machine, and of no other. So where there is one, what it does not answer nobody else is asked (decision 0023).
 * RFC 1034 §5.3.1, RFC 4035 §5.5 (forged data are a SERVFAIL), RFC 5452 (forged answers), RFC 7766 (TCP).
 */

import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { decodeResponse, encodeQuery, failed, type Question } from '../dns/message.ts';
import { canonicalName } from '../dns/name.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';
import type { Clock } from '../util/clock.ts';
import { turnstile } from '../util/turnstile.ts';
import { type Exchange, exchangeOverTcp, exchangeOverUdp, type ServerAddress } from './dns-exchange.ts';

export interface StubOptions {
  /**
   * Those on this machine are asked first; the others only where there is none of these, or none that runs. Each kind in
   * this order, beginning with the one that answered last.
   */
  servers: readonly ServerAddress[];
  clock: Clock;
  /** A number from 0 up to 1 that nobody can guess, for ids (RFC 5452 §9.2); default: from the system's generator. */
  random?: () => number;
  /** For one server to reply, over UDP and then over TCP again. */
  timeoutMs?: number;
  /** How often each server is asked. */
  attempts?: number;
  /** For one question in all, from the first query on. */
  totalMs?: number;
  /** Questions under way at once, each with a socket of its own; more wait their turn. */
  maxQuestions?: number;
  /** Questions that wait; more fail at once. */
  maxWaiting?: number;
  /** Told when none of the resolvers on this machine runs, and others are asked instead; and when one runs again. */
  onLocal?: (isThere: boolean) => void;
}

type Settings = Required<StubOptions>;

/** Seconds that an answer is believed which a resolver on this machine should have given. */
export const standInTtl = 60;

const defaults = {
  random: () => randomInt(2 ** 32) / 2 ** 32,
  timeoutMs: 3_000,
  attempts: 2,
  totalMs: 12_000,
  maxQuestions: 256,
  maxWaiting: 10_000,
  onLocal: () => undefined,
};

/** Rejects only when the caller's signal is aborted; every other misfortune is an answer of status 'failed'. */
export function stubResolver(options: StubOptions): Resolver {
  const settings: Settings = { ...defaults, ...options };
  const turns = turnstile(settings.maxQuestions, settings.maxWaiting);
  const local = settings.servers.filter(isLocal);
  const others = settings.servers.filter((server) => !isLocal(server));
  const askLocal = askInTurn(settings, local);
  const askOthers = askInTurn(settings, others);
  let isThere = true;

  async function askServers<T extends RecordType>(question: Question<T>, signal?: AbortSignal) {
    const asking = { endMs: settings.clock.now() + settings.totalMs, signal };
    if (local.length === 0) return (await askOthers(question, asking)).answer;
    const { answer, isAway = false } = await askLocal(question, asking);
    if (others.length === 0) return answer;
    if (isThere === isAway) {
      isThere = !isAway;
      settings.onLocal(isThere);
    }
    return isAway ? briefly((await askOthers(question, asking)).answer) : answer;
  }

  return {
    async resolve(name, type, signal) {
      const question = { name: canonicalName(name), type };
      if (!(await turns.enter(signal)))
        return failed(`more than ${settings.maxWaiting} questions are waiting`);
      try {
        return await askServers(question, signal);
      } finally {
        turns.leave();
      }
    },
  };
}

/** What became of a question to some servers, or to one. */
interface Asked<T extends RecordType> {
  answer: Answer<RecordTypes[T]>;
  /** Nobody listens there: the question was not even heard. */
  isAway?: boolean;
}

interface Limits {
  endMs: number;
  signal: AbortSignal | undefined;
}

/** Asks these servers until one of them answers, beginning with the one that answered last. */
function askInTurn(settings: Settings, servers: readonly ServerAddress[]) {
  let inOrder = servers;
  return async <T extends RecordType>(
    question: Question<T>,
    { endMs, signal }: Limits,
  ): Promise<Asked<T>> => {
    let answer: Answer<RecordTypes[T]> = failed('no name server is configured');
    let areAway = true;
    for (const server of Array.from({ length: settings.attempts }, () => inOrder).flat()) {
      const timeoutMs = Math.min(settings.timeoutMs, endMs - settings.clock.now());
      if (timeoutMs <= 0) break;
      const asked = await askServer(question, { ...settings, server, timeoutMs, signal });
      answer = asked.answer;
      areAway &&= asked.isAway === true;
      if (answer.status === 'failed') continue;
      inOrder = [server, ...inOrder.filter((other) => other !== server)];
      break;
    }
    return { answer, isAway: areAway };
  };
}

type Asking = Settings & Pick<Exchange<never>, 'server' | 'timeoutMs' | 'signal'>;

async function askServer<T extends RecordType>(question: Question<T>, asking: Asking): Promise<Asked<T>> {
  const { server, random } = asking;
  const id = Math.floor(random() * 2 ** 16);
  const query = encodeQuery(id, question);
  // What no message can hold, no zone can.
  if (query === undefined)
    return { answer: { status: 'none', reason: 'nxdomain', ttl: 0, authentic: false } };
  const read = (bytes: Buffer) => {
    const reading = decodeResponse(bytes, id, question);
    return reading === 'foreign' ? undefined : reading;
  };
  const exchange = { ...asking, query, read };
  let outcome = await exchangeOverUdp(exchange);
  const isAway = 'error' in outcome && outcome.isUnheard === true;
  if ('reply' in outcome && outcome.reply === 'truncated') outcome = await exchangeOverTcp(exchange);
  const says = (detail: string) => ({ answer: failed(withServer(detail, server)), isAway });
  if ('error' in outcome) return says(outcome.error);
  if (outcome.reply === 'truncated') return says('cut short even over TCP');
  if (outcome.reply.status === 'failed') return says(outcome.reply.detail);
  return { answer: { ...outcome.reply, authentic: outcome.reply.authentic && isLocal(server) } };
}

/** DANE must not be off for longer than the resolver on this machine is. */
function briefly<T>(answer: Answer<T>): Answer<T> {
  return answer.status === 'failed' ? answer : { ...answer, ttl: Math.min(answer.ttl, standInTtl) };
}

/** The system's errors name it already, mostly. */
function withServer(detail: string, server: ServerAddress): string {
  const named = ` ${server.address}:${server.port} `;
  return `${detail} `.includes(named) ? detail : `${detail} (${endpoint(server)})`;
}

function endpoint({ address, port }: ServerAddress): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Between us and any other resolver somebody could set the AD bit (RFC 4035 §4.9.3). */
function isLocal({ address }: ServerAddress): boolean {
  return address === '::1' || address.startsWith('127.');
}

const resolvConf = '/etc/resolv.conf';

/** As many as the C library asks (resolv.conf(5), MAXNS). */
const maxSystemServers = 3;

/** The name servers of this machine; the one on loopback where the file is missing or names none (resolv.conf(5)). */
export async function systemServers(path = resolvConf): Promise<ServerAddress[]> {
  const servers = parseResolvConf(await readFile(path, 'utf8').catch(emptyIfMissing));
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: 53 }];
}

function emptyIfMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

function parseResolvConf(text: string): ServerAddress[] {
  const addresses = [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address);
  return addresses
    .filter((address) => isIP(address) !== 0)
    .slice(0, maxSystemServers)
    .map((address) => ({ address, port: 53 }));
}
