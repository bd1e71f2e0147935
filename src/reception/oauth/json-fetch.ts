/** JSON from the web server of an issuer, within limits. */

import type { Https } from '../../net/https.ts';

/** Octets of an issuer's document. */
const maxBytes = 256 * 1024;
const timeoutMs = 10_000;

/** It cannot be had, or is not what it should be; the message is for the log. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError';
}

export interface JsonRequest {
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Posted as a form. */
  form?: URLSearchParams;
}

/** Rejects with an IssuerError. */
export async function fetchJson(
  https: Https,
  { url, headers, form }: JsonRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await https({
    url: new URL(url),
    method: form ? 'POST' : 'GET',
    headers: {
      accept: 'application/json',
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(form && { body: Buffer.from(form.toString()) }),
    maxBytes,
    timeoutMs,
    onBadCertificate: 'refuse',
  });
  if ('problem' in answer) throw new IssuerError(`${url}: ${answer.problem}`);
  if (answer.status !== 200) throw new IssuerError(`${url}: the answer is ${answer.status}`);
  return objectOf(answer.body, url);
}

function objectOf(body: Buffer, url: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    // Each value is unknown still.
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new IssuerError(`${url}: the answer is no JSON object`);
}
