/**
 * Gets the MTA-STS policy of a domain from its policy host (RFC 8461 §3.3), and says of a failure which one it is in
 * reports (RFC 8460 §4.3.2.2). Whether there is a policy to get is the DNS record's matter, and keeping it the caller's.
 */

import { maxPolicyBytes, parsePolicy, type StsPolicy } from '../mta-sts/policy.ts';
import type { TlsFailureType } from '../tls-rpt/result.ts';
import type { Https, HttpsAnswer, HttpsFailure } from './https.ts';

export interface FetchedPolicy {
  policy: StsPolicy;
  /** As it was served. */
  text: string;
}

export interface PolicyFailure {
  /** For people. */
  problem: string;
  type: Extract<TlsFailureType, 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'>;
}

export interface FetchOptions {
  /** Of the policy host; others than 443 are for tests. */
  port?: number;
  signal?: AbortSignal | undefined;
}

/** RFC 8461 §3.3 suggests a minute. */
export const policyTimeoutMs = 60_000;

/** `domain` in A-labels. Rejects only with the signal's reason. */
export async function fetchPolicy(
  https: Https,
  domain: string,
  { port = 443, signal }: FetchOptions = {},
): Promise<FetchedPolicy | PolicyFailure> {
  const text = `https://mta-sts.${domain}:${port}/.well-known/mta-sts.txt`;
  const url = URL.parse(text);
  if (url === null) return { problem: `${text} is no URL`, type: 'sts-policy-fetch-error' };
  const answer = await https({
    url,
    method: 'GET',
    maxBytes: maxPolicyBytes,
    timeoutMs: policyTimeoutMs,
    onBadCertificate: 'refuse',
    signal,
  });
  if ('problem' in answer) return { problem: `${url.href}: ${answer.problem}`, type: typeOf(answer) };
  // Only 200 is a policy; a redirection is not followed (RFC 8461 §3.3).
  if (answer.status !== 200)
    return { problem: `${url.href} answers ${answer.status}`, type: 'sts-policy-fetch-error' };
  return policyIn(url, answer);
}

function typeOf({ kind }: HttpsFailure): PolicyFailure['type'] {
  if (kind === 'certificate') return 'sts-webpki-invalid';
  // Something was served, and no policy is as long as that.
  return kind === 'size' ? 'sts-policy-invalid' : 'sts-policy-fetch-error';
}

function policyIn(
  url: URL,
  { headers, body }: Pick<HttpsAnswer, 'headers' | 'body'>,
): FetchedPolicy | PolicyFailure {
  const invalid = (problem: string) =>
    ({ problem: `${url.href}: ${problem}`, type: 'sts-policy-invalid' }) as const;
  // RFC 8461 §3.3: hosts where users may put HTML pages must not be able to set the domain's policy by accident.
  const type = headers['content-type'] ?? '';
  if (!/^text\/plain\s*(?:;|$)/i.test(type)) return invalid(`"${type.slice(0, 80)}" is not text/plain`);
  const text = body.toString('utf8');
  const policy = parsePolicy(text);
  return 'problem' in policy ? invalid(policy.problem) : { policy, text };
}
