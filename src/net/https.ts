/**
 * A small HTTPS client for what mail needs of the web: one request, one answer, and no more. It looks names up with our
 * own resolver, keeps away from addresses that are not public, follows no redirection, keeps no cookies, caches nothing,
 * and has a limit of time and of size. What the answer means is for those who asked. RFC 9110, RFC 9112, RFC 8446.
 */

import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { Resolver } from '../dns/resolver.ts';
import type { Clock } from '../util/clock.ts';
import { addressClass, findFamily } from './addresses.ts';
import { exchange, type HttpAnswer, textOf } from './http-exchange.ts';

export interface HttpsParts {
  resolver: Resolver;
  clock: Clock;
  /** Certificate authorities trusted besides the system's, PEM. */
  authorities?: readonly string[];
  /** Hosts at loopback and private addresses may be asked; for tests and intranets. */
  allowPrivateAddresses?: boolean;
}

export interface HttpsRequest {
  /** Its port counts, its fragment does not; one with a user name is refused. */
  url: URL;
  method: 'GET' | 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: Buffer;
  /** Octets of the answer's body. */
  maxBytes: number;
  /** From the first look-up to the last octet. */
  timeoutMs: number;
  /** A certificate that is not valid for the host: is it the end, or only told? */
  onBadCertificate: 'refuse' | 'tell';
  signal?: AbortSignal | undefined;
}

export interface HttpsAnswer extends HttpAnswer {
  /** `verified`, or what is wrong with it, in words. */
  certificate: string;
}

export interface HttpsFailure {
  /** What went wrong first, for programs; `problem` is for people. */
  kind: 'url' | 'dns' | 'address' | 'connect' | 'tls' | 'certificate' | 'protocol' | 'size' | 'timeout';
  problem: string;
}

/** Rejects only with the signal's reason. */
export type Https = (request: HttpsRequest) => Promise<HttpsAnswer | HttpsFailure>;

/** Addresses of one host that are tried. */
export const maxAddresses = 4;
/** For one address, TCP and TLS together. */
export const connectTimeoutMs = 10_000;

export function httpsClient({ authorities = [], ...parts }: HttpsParts): Https {
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(authorities.length > 0 && { ca: [...getCACertificates('default'), ...authorities] }),
  });
  return (wanted) =>
    withinTime(parts.clock, wanted, (signal) => ask({ ...parts, secureContext }, wanted, signal));
}

type Parts = Omit<HttpsParts, 'authorities'> & { secureContext: SecureContext };

/** Gives `work` a signal that is aborted when the time is over too, which is then the failure, whatever came of it. */
async function withinTime(
  clock: Clock,
  { timeoutMs, signal }: HttpsRequest,
  work: (signal: AbortSignal) => Promise<HttpsAnswer | HttpsFailure>,
): Promise<HttpsAnswer | HttpsFailure> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const late = failure('timeout', `not done within ${timeoutMs / 1000} s`);
  const cancel = clock.after(timeoutMs, () => limit.abort(late));
  try {
    const result = await work(signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
    signal?.throwIfAborted();
    return limit.signal.aborted ? late : result;
  } catch (error) {
    if (error === late) return late;
    throw error;
  } finally {
    cancel();
  }
}

async function ask(
  parts: Parts,
  wanted: HttpsRequest,
  signal: AbortSignal,
): Promise<HttpsAnswer | HttpsFailure> {
  const { url } = wanted;
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return failure('url', 'only https: is asked, and nobody is logged in');
  const addresses = await addressesOf(parts, hostOf(url), signal);
  if ('problem' in addresses) return addresses;
  const opened = await openFirst(parts, addresses, { url, signal });
  if ('problem' in opened) return opened;
  try {
    const { socket, certificate } = opened;
    if (certificate !== 'verified' && wanted.onBadCertificate === 'refuse')
      return failure('certificate', `the certificate of ${url.hostname}: ${certificate}`);
    const { method, headers, body, maxBytes } = wanted;
    const path = url.pathname + url.search;
    const answer = await exchange(socket, {
      method,
      path,
      headers: { ...headers, host: url.host },
      body,
      maxBytes,
    });
    return 'problem' in answer ? answer : { ...answer, certificate };
  } finally {
    opened.socket.destroy();
  }
}

/** The URL's host without the brackets of an IPv6 address. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

/** IPv6 first. */
async function addressesOf(
  { resolver, allowPrivateAddresses = false }: Parts,
  host: string,
  signal: AbortSignal,
): Promise<string[] | HttpsFailure> {
  const found = findFamily(host) === undefined ? await lookUp(resolver, host, signal) : [host];
  if ('problem' in found) return found;
  const allowed = found.filter((address) => allowPrivateAddresses || addressClass(address) === 'public');
  if (allowed.length > 0) return allowed.slice(0, maxAddresses);
  return failure('address', `${host} has no public address, only ${found.slice(0, maxAddresses).join(', ')}`);
}

async function lookUp(
  resolver: Resolver,
  host: string,
  signal: AbortSignal,
): Promise<string[] | HttpsFailure> {
  const answers = await Promise.all([
    resolver.resolve(host, 'AAAA', signal),
    resolver.resolve(host, 'A', signal),
  ]);
  const addresses = answers.flatMap((answer) => (answer.status === 'found' ? answer.records : []));
  if (addresses.length > 0) return addresses;
  const failed = answers.find((answer) => answer.status === 'failed');
  return failure(
    'dns',
    failed ? `DNS did not say where ${host} is: ${failed.detail}` : `${host} has no address`,
  );
}

interface Opened {
  socket: TLSSocket;
  certificate: string;
}

interface Target {
  url: URL;
  signal: AbortSignal;
}

/** The first address that shows a TLS server. Resolves to what was wrong with the last where none does. */
async function openFirst(
  parts: Parts,
  addresses: readonly string[],
  target: Target,
): Promise<Opened | HttpsFailure> {
  let last: HttpsFailure = failure('connect', 'no address was tried');
  for (const address of addresses) {
    const opened = await open(parts, address, target);
    if ('socket' in opened) return opened;
    last = opened;
  }
  return last;
}

/** The signal ends the socket for as long as it lives. */
async function open(
  { clock, secureContext }: Parts,
  address: string,
  { url, signal }: Target,
): Promise<Opened | HttpsFailure> {
  signal.throwIfAborted();
  const host = hostOf(url);
  const port = Number(url.port || 443);
  const socket = tlsConnect({
    host: address,
    port,
    // An address cannot be sent as SNI (RFC 6066 §3).
    ...(findFamily(host) === undefined && { servername: host }),
    secureContext,
    ALPNProtocols: ['http/1.1'],
    // The verdict is looked at by who asked: with a certificate that is only to be told, the request still goes out.
    rejectUnauthorized: false,
  });
  let stage: HttpsFailure['kind'] = 'connect';
  socket.once('connect', () => {
    stage = 'tls';
  });
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  const late = new Error(`no TLS within ${connectTimeoutMs / 1000} s`);
  const cancel = clock.after(connectTimeoutMs, () => socket.destroy(late));
  const problem = await handshake(socket);
  cancel();
  if (problem === undefined) return { socket, certificate: certificateOf(socket) };
  return failure(stage, `${address} port ${port}: ${problem}`);
}

/** Resolves to what prevented it. */
function handshake(socket: TLSSocket): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.once('secureConnect', () => resolve(undefined));
    socket.on('error', (error) => resolve(textOf(error)));
    socket.once('close', () => resolve('the connection was closed'));
  });
}

/** `authorizationError` is typed as an Error, but is OpenSSL's name of what is wrong, such as CERT_HAS_EXPIRED. */
function certificateOf(socket: TLSSocket): string {
  if (socket.authorized) return 'verified';
  const name = String(socket.authorizationError);
  return name === 'ERR_TLS_CERT_ALTNAME_INVALID'
    ? 'it is for another name'
    : name.toLowerCase().replaceAll('_', ' ');
}

const failure = (kind: HttpsFailure['kind'], problem: string): HttpsFailure => ({ kind, problem });
