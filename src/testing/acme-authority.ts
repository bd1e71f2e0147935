/**
 * An ACME authority (RFC 8555) for tests, as the other end of `Https`: it checks signatures, nonces and requests, issues at
 * once, and refuses, delays or lies as it is told.
 */

import {
  createHmac,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { Https, HttpsAnswer, HttpsRequest } from '../net/https.ts';
import {
  dnsName,
  forAuthorities,
  forServers,
  newEcKey,
  subjectAltNames,
  writeCertificate,
} from '../util/certificate-writer.ts';
import type { Clock } from '../util/clock.ts';
import type { HttpsHost } from './https-host.ts';

export interface AuthorityMood {
  /** Every request for this path is answered so. */
  refuse?: { path: string; status: number; type: string; detail: string; retryAfter?: string } | undefined;
  /** What is found where a name is to be proven. */
  invalid?: string | undefined;
  /** … and what kind of error that is, without the prefix. */
  invalidType?: string;
  lie?: 'other key' | 'other names' | 'no certificate' | 'expired' | 'no json' | undefined;
  refusedNonces?: number;
  /** When it would have certificates renewed; `garbage` is said in the place of a window. */
  advice?: ({ start: string; end: string } | { garbage: string }) & { retryAfter?: string };
  /** Its clock, compared with ours. */
  clockMs?: number;
  days?: number;
  isAway?: boolean;
  /** HMAC keys, base64url, by their ids: an account must be bound to one of them. */
  bindings?: Readonly<Record<string, string>> | undefined;
  /** What it is called in CAA records. */
  caaIdentities?: string[];
}

export interface TestAcmeAuthority {
  https: Https;
  mood: AuthorityMood;
  /** Paths, in order, and what was said. */
  asked: { path: string; payload?: Record<string, unknown> }[];
  /** Serial numbers. */
  revoked: string[];
  count(path: string): number;
}

const errorPrefix = 'urn:ietf:params:acme:error:';
const dayMs = 86_400_000;

interface Placed {
  names: string[];
  proven: boolean;
  certificate?: string;
}

/** `base`: where it is. */
export function testAcmeAuthority(
  clock: Pick<Clock, 'now'>,
  mood: AuthorityMood = {},
  base = 'https://ca.example',
): TestAcmeAuthority {
  const asked: TestAcmeAuthority['asked'] = [];
  const revoked: string[] = [];
  const nonces = new Set<string>();
  const accounts = new Map<string, KeyObject>();
  const orders: Placed[] = [];
  const issuer = { name: 'Test CA', key: newEcKey() };
  const root = writeCertificate({
    subject: issuer.name,
    subjectKey: issuer.key,
    extensions: forAuthorities,
    ...{ notBefore: 0, notAfter: Date.UTC(2049, 0) },
  });

  const answer = (status: number, body: unknown, headers: Record<string, string> = {}): HttpsAnswer => {
    const nonce = randomBytes(8).toString('base64url');
    nonces.add(nonce);
    const date = new Date(clock.now() + (mood.clockMs ?? 0)).toUTCString();
    const content = typeof body === 'string' ? body : JSON.stringify(body);
    return {
      status,
      headers: { 'replay-nonce': nonce, date, ...headers },
      body: Buffer.from(content),
      certificate: 'verified',
    };
  };
  const problem = (status: number, type: string, detail: string, headers = {}) =>
    answer(status, { type: `${errorPrefix}${type}`, detail }, headers);

  const orderOf = (index: number) => {
    const { names, proven, certificate } = orders[index] as Placed;
    return {
      status: certificate ? 'valid' : proven ? 'ready' : mood.invalid ? 'invalid' : 'pending',
      identifiers: names.map((value) => ({ type: 'dns', value })),
      authorizations: [`${base}/authz/${index}`],
      finalize: `${base}/finalize/${index}`,
      ...(certificate && { certificate: `${base}/cert/${index}` }),
    };
  };

  const issue = (index: number, csr: Buffer): void => {
    const order = orders[index] as Placed;
    const { info, signature, publicKey } = readRequest(csr);
    if (!verify('sha256', info, publicKey, signature)) throw new Error('the request is not signed');
    const now = clock.now();
    const isExpired = mood.lie === 'expired';
    const certificate = writeCertificate({
      subject: 'issued',
      subjectKey: mood.lie === 'other key' ? newEcKey() : publicKey,
      extensions: [
        subjectAltNames((mood.lie === 'other names' ? ['evil.example'] : order.names).map(dnsName)),
        forServers,
      ],
      notBefore: now - 3_600_000 - (isExpired ? 90 * dayMs : 0),
      notAfter: isExpired ? now - 1000 : now + (mood.days ?? 90) * dayMs,
      issuer,
    });
    order.certificate = mood.lie === 'no certificate' ? 'hello' : certificate + root;
  };

  /** RFC 8555 §7.6, by the certificate's own key. */
  const revoke = (jwk: JsonWebKey | undefined, payload: Record<string, unknown>): HttpsAnswer => {
    const certificate = new X509Certificate(Buffer.from(String(payload.certificate), 'base64url'));
    const { x, y } = certificate.publicKey.export({ format: 'jwk' });
    if (jwk?.x !== x || jwk?.y !== y || payload.reason !== 1)
      return problem(403, 'unauthorized', 'not by the key of the certificate');
    if (revoked.includes(certificate.serialNumber)) return problem(400, 'alreadyRevoked', 'it is');
    revoked.push(certificate.serialNumber);
    return answer(200, '');
  };

  const posted = (path: string, payload: Record<string, unknown> | undefined): HttpsAnswer => {
    const [, kind = '', number = ''] = path.split('/');
    const index = Number(number);
    if (kind === 'new-order') {
      const identifiers = payload?.identifiers as { value: string }[]; // as the client has it
      orders.push({ names: identifiers.map(({ value }) => value), proven: false });
      return answer(201, orderOf(orders.length - 1), { location: `${base}/order/${orders.length - 1}` });
    }
    if (kind === 'authz') {
      const { names, proven } = orders[index] as Placed;
      const status = mood.invalid && proven ? 'invalid' : proven ? 'valid' : 'pending';
      const error = {
        detail: mood.invalid,
        ...(mood.invalidType && { type: `${errorPrefix}${mood.invalidType}` }),
      };
      const challenge = { url: `${base}/chall/${index}`, status, token: `token-${index}`, error };
      const challenges = ['http-01', 'dns-01', 'tls-alpn-01'].map((type) => ({ ...challenge, type }));
      return answer(200, { status, identifier: { type: 'dns', value: names[0] }, challenges });
    }
    if (kind === 'chall') {
      (orders[index] as Placed).proven = true;
      return answer(200, {});
    }
    if (kind === 'finalize') {
      issue(index, Buffer.from(String(payload?.csr), 'base64url'));
      return answer(200, orderOf(index));
    }
    if (kind === 'order') return answer(200, orderOf(index));
    if (kind === 'cert') return answer(200, orders[index]?.certificate ?? '');
    return problem(404, 'malformed', `there is no ${path}`);
  };

  const register = (jwk: JsonWebKey, payload: Record<string, unknown>): HttpsAnswer => {
    const { bindings } = mood;
    if (bindings && payload.externalAccountBinding === undefined)
      return problem(403, 'externalAccountRequired', 'no binding');
    if (
      bindings &&
      !isBound(payload.externalAccountBinding as Binding, { jwk, keys: bindings, url: `${base}/new-account` })
    )
      // as the client has it
      return problem(403, 'unauthorized', 'the binding cannot be verified');
    const url = `${base}/account/${accounts.size}`;
    accounts.set(url, createPublicKey({ key: jwk, format: 'jwk' }));
    return answer(201, { status: 'valid' }, { location: url });
  };

  const respond = (path: string, body: Buffer | undefined): HttpsAnswer => {
    const { refuse, advice } = mood;
    if (refuse && path === refuse.path) {
      const headers = refuse.retryAfter === undefined ? {} : { 'retry-after': refuse.retryAfter };
      return problem(refuse.status, refuse.type, refuse.detail, headers);
    }
    if (mood.lie === 'no json') return answer(200, '<html>hello</html>');
    if (path === '/dir')
      return answer(200, {
        newNonce: `${base}/nonce`,
        newAccount: `${base}/new-account`,
        newOrder: `${base}/new-order`,
        revokeCert: `${base}/revoke`,
        meta: {
          ...(mood.caaIdentities && { caaIdentities: mood.caaIdentities }),
          ...(mood.bindings && { externalAccountRequired: true }),
        },
        ...(advice && { renewalInfo: `${base}/renewal` }),
      });
    if (path === '/nonce') return answer(204, '');
    if (path.startsWith('/renewal/') && advice)
      return answer(
        200,
        'garbage' in advice ? advice.garbage : { suggestedWindow: { start: advice.start, end: advice.end } },
        advice.retryAfter === undefined ? {} : { 'retry-after': advice.retryAfter },
      );
    const jws = JSON.parse(String(body));
    const head = JSON.parse(String(Buffer.from(jws.protected, 'base64url')));
    if (!nonces.delete(head.nonce) || (mood.refusedNonces ?? 0) > 0) {
      mood.refusedNonces = (mood.refusedNonces ?? 1) - 1;
      return problem(400, 'badNonce', 'not this one');
    }
    const key = head.kid ? accounts.get(head.kid) : createPublicKey({ key: head.jwk, format: 'jwk' });
    if (key === undefined) return problem(400, 'accountDoesNotExist', 'nobody knows you');
    const said = Buffer.from(`${jws.protected}.${jws.payload}`);
    const signature = Buffer.from(jws.signature, 'base64url');
    if (!verify('sha256', said, { key, dsaEncoding: 'ieee-p1363' }, signature))
      return problem(400, 'malformed', 'the signature is wrong');
    if (head.url !== `${base}${path}`) return problem(400, 'unauthorized', 'for another address');
    const payload = jws.payload && JSON.parse(String(Buffer.from(jws.payload, 'base64url')));
    asked[asked.length - 1] = { path, ...(payload && { payload }) };
    if (path === '/revoke') return revoke(head.jwk, payload);
    return path === '/new-account' ? register(head.jwk, payload) : posted(path, payload || undefined);
  };

  return {
    mood,
    asked,
    revoked,
    count: (path) => asked.filter((one) => one.path === path).length,
    https: async ({ url, body }: HttpsRequest) => {
      if (mood.isAway) return { kind: 'connect', problem: 'nobody is there' };
      asked.push({ path: url.pathname });
      return respond(url.pathname, body);
    },
  };
}

interface Binding {
  protected: string;
  payload: string;
  signature: string;
}

/** RFC 8555 §7.3.4. */
function isBound(
  binding: Binding,
  { jwk, keys, url }: { jwk: JsonWebKey; keys: Readonly<Record<string, string>>; url: string },
): boolean {
  const head = JSON.parse(String(Buffer.from(binding.protected, 'base64url')));
  const key = keys[head.kid];
  if (key === undefined || head.alg !== 'HS256' || head.url !== url) return false;
  const hmac = createHmac('sha256', Buffer.from(key, 'base64url'));
  const digest = hmac.update(`${binding.protected}.${binding.payload}`).digest('base64url');
  const bound = JSON.parse(String(Buffer.from(binding.payload, 'base64url')));
  return digest === binding.signature && bound.x === jwk.x && bound.y === jwk.y;
}

/** RFC 2986 §4, as our own are written: the version, an empty subject, the key. */
function readRequest(csr: Buffer): { info: Buffer; signature: Buffer; publicKey: KeyObject } {
  const whole = element(csr, 0);
  const info = element(csr, whole.start);
  const algorithm = element(csr, info.end);
  const signature = element(csr, algorithm.end);
  const version = element(csr, info.start);
  const subject = element(csr, version.end);
  const spki = element(csr, subject.end);
  return {
    info: csr.subarray(whole.start, info.end),
    signature: csr.subarray(signature.start + 1, signature.end),
    publicKey: createPublicKey({ key: csr.subarray(subject.end, spki.end), format: 'der', type: 'spki' }),
  };
}

/** Where its content begins, and ends. */
function element(bytes: Buffer, at: number): { start: number; end: number } {
  const first = bytes.readUInt8(at + 1);
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const size = first - 0x80;
  const start = at + 2 + size;
  return { start, end: start + bytes.readUIntBE(at + 2, size) };
}

/** The same, as an HTTPS server answers. */
export function answersOf({ https }: TestAcmeAuthority, base: string, host: HttpsHost): HttpsHost['answer'] {
  return (response, { url = '/', method }) => {
    const body = host.requests.at(-1)?.body;
    const request = { url: new URL(url, base), ...(method === 'POST' && body && { body }) };
    https({ ...request, method: 'GET', maxBytes: 1, timeoutMs: 1, onBadCertificate: 'refuse' }).then(
      (answer) => {
        if ('problem' in answer) return response.destroy();
        return response.writeHead(answer.status, answer.headers).end(answer.body);
      },
      (error: Error) => response.destroy(error),
    );
  };
}
