/** What a certificate authority answers: whatever it is, an AcmeError or sense. */

import { AcmeError, problemText, refusal, retryAfter } from '../../src/acme/acme-error.ts';
import { readRenewalInfo } from '../../src/acme/renewal-info.ts';
import { readAuthorization, readDirectory, readOrder } from '../../src/acme/resources.ts';
import { between, demand, type Target } from './target.ts';

/** What makes no sense is told so. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AcmeError && error.trouble === 'nonsense') return undefined;
    throw error;
  }
}

const readers = [readDirectory, readOrder, readAuthorization, readRenewalInfo] as const;

function check(input: Buffer): void {
  for (const read of readers) orRefused(() => read(input));
  const order = orRefused(() => readOrder(input));
  demand((order?.authorizations.length ?? 0) <= 200, 'more is to be proven than was asked for');
  for (const { token } of orRefused(() => readAuthorization(input))?.challenges ?? [])
    demand(/^[\w-]+$/.test(token), 'a token that is no file name');
  const window = orRefused(() => readRenewalInfo(input));
  if (window) demand(Number.isFinite(window.start) && window.end >= window.start, 'a window that is none');
  checkRefusal(input);
}

function checkRefusal(body: Buffer): void {
  const text = body.toString('latin1');
  const { message, retryAfterMs = 1 } = refusal(
    { status: 400, headers: { 'retry-after': text }, body, certificate: 'verified' },
    0,
  );
  demand(message.length < 1000 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(message), 'an error that cannot be shown');
  demand(Number.isFinite(retryAfterMs) && retryAfterMs > 0, 'a wait that is none');
}

const answers: readonly object[] = [
  {
    newNonce: 'https://ca.example/n',
    newAccount: 'https://ca.example/a',
    newOrder: 'https://ca.example/o',
    meta: { caaIdentities: ['ca.example'], externalAccountRequired: true },
  },
  {
    status: 'pending',
    identifiers: [{ type: 'dns', value: 'mx.example.com' }],
    authorizations: ['https://ca.example/z/1'],
    finalize: 'https://ca.example/f',
  },
  {
    status: 'pending',
    identifier: { type: 'dns', value: 'mx.example.com' },
    challenges: [{ type: 'http-01', url: 'https://ca.example/c', status: 'pending', token: 'abc_-1' }],
  },
  { suggestedWindow: { start: '2026-11-28T00:00:00Z', end: '2026-11-29T00:00:00Z' }, explanationURL: 'x' },
  {
    type: 'urn:ietf:params:acme:error:rateLimited',
    detail: 'slow\ndown',
    subproblems: [{ type: 'x', detail: 'y', identifier: { value: 'z' } }],
  },
];

const acmeAnswers: Target = {
  name: 'acme-answers',
  seeds: () =>
    [...answers.map((answer) => JSON.stringify(answer)), '120', 'Sat, 28 Nov 2026 10:00:00 GMT'].map((text) =>
      Buffer.from(text),
    ),
  read(input) {
    for (const read of readers) orRefused(() => read(input));
    return [retryAfter(input.toString('latin1'), 0), problemText({ detail: input.toString('latin1') })];
  },
  check,
  longestRunBytes: 256 * 1024,
  places: [
    between('{"status":"', '"}'),
    between('{"detail":"', '"}'),
    between('{"status":"pending","identifiers":[', ']}'),
    between('{"suggestedWindow":{"start":"', '"}}'),
  ],
};

export const acmeTargets: readonly Target[] = [acmeAnswers];
