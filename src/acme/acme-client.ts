/**
 * The asking side of ACME (RFC 8555): requests that are signed, each with a nonce of its own, and answers that are read. One
 * request after the other. It decides nothing: when to ask again is for who asks, to whom every refusal comes as an AcmeError.
 */

import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Https, HttpsAnswer } from '../net/https.ts';
import { type Clock, sleep } from '../util/clock.ts';
import {
  AcmeError,
  nonsense,
  problemText,
  problemType,
  refusal,
  retryAfter,
  unreachable,
} from './acme-error.ts';
import { externalBinding, signed } from './jws.ts';
import {
  type Authorization,
  type Directory,
  type Order,
  readAuthorization,
  readDirectory,
  readOrder,
} from './resources.ts';

export interface AcmeClientParts {
  https: Https;
  clock: Clock;
  /** Where the authority's directory is. */
  directory: URL;
  accountKey: KeyObject;
  signal: AbortSignal;
}

export interface AccountWanted {
  /** A mail address. */
  contact?: string | undefined;
  external?: { keyId: string; hmacKey: string } | undefined;
}

/** An order and where it is. */
export interface PlacedOrder extends Order {
  url: URL;
}

/** Octets of an answer; a chain of certificates has some thousands. */
const maxAnswerBytes = 256 * 1024;
const requestTimeoutMs = 30_000;
/** A nonce may be refused for no fault of ours (RFC 8555 §6.5), but not for ever. */
const maxNonces = 5;
/** Waits between looks at what an authority is about to do, and for how long it is looked at. */
const firstLookMs = 1000;
const longestLookMs = 15_000;
export const patienceMs = 180_000;
/** Clocks differ by so much before it is worth a word. */
const clockToleranceMs = 5 * 60_000;

/** Of reasons to revoke: RFC 5280 §5.3.1. */
const keyCompromise = 1;

export class AcmeClient {
  readonly #parts: AcmeClientParts;
  #directory: Directory | undefined;
  #nonce: string | undefined;
  #account: string | undefined;
  /** How far our clock is ahead of the authority's, where that is far. */
  clockAheadMs: number | undefined;

  constructor(parts: AcmeClientParts) {
    this.#parts = parts;
  }

  async directory(): Promise<Directory> {
    this.#directory ??= readDirectory((await this.#get(this.#parts.directory)).body);
    return this.#directory;
  }

  /** The account of this key, which is made where there is none. Returns its URL (RFC 8555 §7.3). */
  async account({ contact, external }: AccountWanted): Promise<string> {
    const { newAccount, needsExternalAccount } = await this.directory();
    if (needsExternalAccount && external === undefined) throw wantsBinding();
    const answer = await this.#post(newAccount, {
      termsOfServiceAgreed: true,
      ...(contact !== undefined && { contact: [`mailto:${contact}`] }),
      ...(external && {
        externalAccountBinding: externalBinding(this.#parts.accountKey, {
          ...external,
          url: newAccount.href,
        }),
      }),
    }).catch((error: unknown) => {
      throw bindingRefused(error, external);
    });
    const { location } = answer.headers;
    if (location === undefined) throw nonsense('an account has no address');
    this.#account = location;
    return location;
  }

  /** Of an earlier time; it is not asked for again. */
  useAccount(url: string): void {
    this.#account = url;
  }

  /** `replaces`: the certificate, as RFC 9773 §4.1 names it, that the new one is for. */
  async newOrder(names: readonly string[], replaces?: string): Promise<PlacedOrder> {
    const { newOrder } = await this.directory();
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    const answer = await this.#post(newOrder, {
      identifiers,
      ...(replaces !== undefined && { replaces }),
    });
    const order = readOrder(answer.body);
    if (!sameNames(order.names, names)) throw nonsense('the order is for other names than we asked for');
    const { location } = answer.headers;
    if (location === undefined || !URL.canParse(location)) throw nonsense('an order has no address');
    return { ...order, url: new URL(location) };
  }

  async authorization(url: URL): Promise<Authorization> {
    return readAuthorization((await this.#post(url)).body);
  }

  /** Says that a challenge is ready to be looked at (RFC 8555 §7.5.1). */
  async ready(challenge: URL): Promise<void> {
    await this.#post(challenge, {});
  }

  /** Looks until the authority has made up its mind about a name. */
  decidedAuthorization(url: URL): Promise<Authorization> {
    return this.#watch(url, readAuthorization, ({ status }) => status !== 'pending');
  }

  async finalize(order: PlacedOrder, request: Buffer): Promise<void> {
    await this.#post(order.finalize, { csr: request.toString('base64url') });
  }

  /** Looks until the order is in one of these states, or is refused. */
  async settledOrder({ url }: PlacedOrder, states: readonly Order['status'][]): Promise<Order> {
    const order = await this.#watch(url, readOrder, ({ status }) => ['invalid', ...states].includes(status));
    if (order.status !== 'invalid') return order;
    const why = problemText(order.error) ?? 'it does not say why';
    throw new AcmeError('refused', `the authority refuses the order: ${why}`, {
      type: problemType(order.error),
    });
  }

  /** A certificate and its chain, PEM (RFC 8555 §7.4.2). */
  async certificate(url: URL): Promise<string> {
    return (await this.#post(url)).body.toString('latin1');
  }

  /**
   * RFC 8555 §7.6, of a client whose account key is the certificate's own, without an account: who has it may have it revoked,
   * and the authority sees that others may. One that is revoked already is as it should be.
   */
  async revoke(certificate: X509Certificate): Promise<void> {
    const { revokeCert } = await this.directory();
    if (revokeCert === undefined) throw nonsense('it has no way to revoke a certificate');
    try {
      await this.#post(revokeCert, {
        certificate: certificate.raw.toString('base64url'),
        reason: keyCompromise,
      });
    } catch (error) {
      if (!(error instanceof AcmeError) || error.type !== 'alreadyRevoked') throw error;
    }
  }

  /** RFC 9773 §4.1; undefined where the authority gives no advice. */
  async renewalInfo(certificateId: string): Promise<{ body: Buffer; retryAfterMs?: number } | undefined> {
    const { renewalInfo } = await this.directory();
    if (renewalInfo === undefined) return undefined;
    const answer = await this.#get(new URL(`${renewalInfo.href.replace(/\/$/, '')}/${certificateId}`));
    const retryAfterMs = retryAfter(answer.headers['retry-after'], this.#parts.clock.now());
    return { body: answer.body, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }

  async #watch<T>(url: URL, read: (body: Buffer) => T, isDecided: (value: T) => boolean): Promise<T> {
    const { clock, signal } = this.#parts;
    const end = clock.now() + patienceMs;
    for (let waitMs = firstLookMs; ; waitMs = Math.min(2 * waitMs, longestLookMs)) {
      const answer = await this.#post(url);
      const value = read(answer.body);
      if (isDecided(value)) return value;
      const asked = retryAfter(answer.headers['retry-after'], clock.now()) ?? 0;
      const pauseMs = Math.min(Math.max(waitMs, asked), longestLookMs);
      if (clock.now() + pauseMs > end)
        throw new AcmeError(
          'unreachable',
          `the authority has not made up its mind within ${patienceMs / 60_000} minutes`,
        );
      await sleep(clock, pauseMs, signal);
    }
  }

  async #post(url: URL, payload?: unknown): Promise<HttpsAnswer> {
    for (let tries = 1; ; tries += 1) {
      const nonce = await this.#takeNonce();
      const { accountKey: key } = this.#parts;
      const jws = signed(payload, { key, account: this.#account, url: url.href, nonce });
      const answer = await this.#ask(url, JSON.stringify(jws));
      if (answer.status < 300) return answer;
      const error = refusal(answer, this.#parts.clock.now());
      if (error.type !== 'badNonce' || tries >= maxNonces) throw error;
    }
  }

  async #get(url: URL): Promise<HttpsAnswer> {
    const answer = await this.#ask(url);
    if (answer.status >= 300) throw refusal(answer, this.#parts.clock.now());
    return answer;
  }

  async #takeNonce(): Promise<string> {
    if (this.#nonce === undefined) await this.#get((await this.directory()).newNonce);
    const nonce = this.#nonce;
    this.#nonce = undefined;
    if (nonce === undefined) throw nonsense('it gives no nonce');
    return nonce;
  }

  async #ask(url: URL, body?: string): Promise<HttpsAnswer> {
    const { https, signal } = this.#parts;
    const answer = await https({
      url,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'user-agent': 'Posthorn',
        ...(body !== undefined && {
          'content-type': 'application/jose+json',
          'content-length': String(Buffer.byteLength(body)),
        }),
      },
      ...(body !== undefined && { body: Buffer.from(body) }),
      maxBytes: maxAnswerBytes,
      timeoutMs: requestTimeoutMs,
      onBadCertificate: 'refuse',
      signal,
    });
    if ('problem' in answer) throw unreachable(url, answer);
    const nonce = answer.headers['replay-nonce'];
    if (typeof nonce === 'string' && /^[\w-]{1,1000}$/.test(nonce)) this.#nonce = nonce;
    this.#compareClocks(answer.headers.date);
    return answer;
  }

  /** A certificate of this hour is not valid yet for a clock that is behind. */
  #compareClocks(date: string | undefined): void {
    const theirs = date === undefined ? Number.NaN : Date.parse(date);
    const aheadMs = this.#parts.clock.now() - theirs;
    this.clockAheadMs = Math.abs(aheadMs) > clockToleranceMs ? aheadMs : undefined;
  }
}

const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  [...left].sort().join() === [...right].sort().join();

const wantsBinding = (cause?: unknown): AcmeError =>
  new AcmeError(
    'ours',
    'this authority wants an account of its own first: give eabKeyId and eabKeyFile in [acme], which it shows to its customers',
    { type: 'externalAccountRequired', cause },
  );

/** Types of refusal that are about something else than who we are there (RFC 8555 §6.7). */
const otherReasons = new Set(['invalidContact', 'unsupportedContact', 'userActionRequired', 'badNonce']);

/** Authorities tell a wrong binding in many ways (RFC 8555 §7.3.4 names none): what it could be is said beside it. */
function bindingRefused(error: unknown, external: AccountWanted['external']): unknown {
  if (!(error instanceof AcmeError) || error.trouble !== 'refused') return error;
  const { type, message, retryAfterMs } = error;
  if (external === undefined) return type === 'externalAccountRequired' ? wantsBinding(error) : error;
  if (type !== undefined && otherReasons.has(type)) return error;
  const text = `${message}. It was asked for an account that is bound to ${external.keyId} (eabKeyId): compare that and what is in eabKeyFile with what the authority shows; many are good for one account only`;
  return new AcmeError('refused', text, { type, retryAfterMs, cause: error });
}
