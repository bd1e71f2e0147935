/** What goes wrong with an authority, as a value with words for people: RFC 8555 §6.7, RFC 9457. */

import type { HttpsAnswer, HttpsFailure } from '../net/https.ts';

export type AcmeTrouble =
  /** It could not be asked. */
  | 'unreachable'
  /** It said no: to us, to a name, to what we showed. */
  | 'refused'
  /** It said: not so often. */
  | 'rate-limited'
  /** What it said is not ACME, or not true. */
  | 'nonsense'
  /** Something here is missing: a program failed, DNS does not show a record. */
  | 'ours';

export class AcmeError extends Error {
  override readonly name = 'AcmeError';
  readonly trouble: AcmeTrouble;
  /** Without the prefix that all have: `rateLimited`, `badNonce`. */
  readonly type: string | undefined;
  /** When it may be asked again, in ms from then. */
  readonly retryAfterMs: number | undefined;

  constructor(
    trouble: AcmeTrouble,
    message: string,
    details: { type?: string | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.trouble = trouble;
    this.type = details.type;
    this.retryAfterMs = details.retryAfterMs;
  }
}

const prefix = 'urn:ietf:params:acme:error:';
/** Of what an authority says of itself, in an error of ours. */
const maxDetailChars = 500;

/** An answer that is no success. */
export function refusal(answer: HttpsAnswer, now: number): AcmeError {
  const problem = readProblem(answer.body);
  const retryAfterMs = retryAfter(answer.headers['retry-after'], now);
  const { type } = problem;
  const details = { type, retryAfterMs };
  const text = problem.text ?? `it answered ${answer.status}`;
  if (type === 'rateLimited' || answer.status === 429)
    return new AcmeError('rate-limited', `the authority asks to wait: ${text}`, details);
  if (answer.status >= 500)
    return new AcmeError('unreachable', `the authority is out of order: ${text}`, details);
  return new AcmeError('refused', `the authority refuses: ${text}`, details);
}

export const unreachable = (url: URL, { problem }: HttpsFailure): AcmeError =>
  new AcmeError('unreachable', `the authority at ${url.host} cannot be asked: ${problem}`);

export const nonsense = (what: string): AcmeError =>
  new AcmeError('nonsense', `what the authority says makes no sense: ${what}`);

function readProblem(body: Buffer): { type?: string; text?: string } {
  const value = parseObject(body);
  if (value === undefined) return {};
  const text = problemText(value);
  const type = problemType(value);
  return {
    ...(type !== undefined && { type }),
    ...(text !== undefined && { text }),
  };
}

/** Without the prefix; that CAA is in the way may be said of one name among several (RFC 8555 §6.7.1). */
export function problemType(problem: unknown): string | undefined {
  if (!isObject(problem)) return undefined;
  const types = partsOf(problem).flatMap(({ type }) =>
    typeof type === 'string' ? [type.startsWith(prefix) ? type.slice(prefix.length) : type] : [],
  );
  return types.find((type) => type === 'caa') ?? (typeof problem.type === 'string' ? types[0] : undefined);
}

/** Itself, and those that it is made of. */
const partsOf = (problem: Record<string, unknown>): Record<string, unknown>[] => [
  problem,
  ...(Array.isArray(problem.subproblems) ? problem.subproblems.slice(0, 10).filter(isObject) : []),
];

/** Of an error object that stands in an authorization, an order or an answer. */
export function problemText(problem: unknown): string | undefined {
  if (!isObject(problem)) return undefined;
  const texts = partsOf(problem).flatMap((part) =>
    typeof part.detail === 'string' ? [`${nameIn(part)}${part.detail}`] : [],
  );
  const text = texts.join('; ').replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
  if (text === '') return typeof problem.type === 'string' ? problem.type.slice(0, 100) : undefined;
  return text.length > maxDetailChars ? `${text.slice(0, maxDetailChars)}…` : text;
}

const nameIn = ({ identifier }: Record<string, unknown>): string =>
  isObject(identifier) && typeof identifier.value === 'string' ? `${identifier.value}: ` : '';

/** Seconds or a date (RFC 9110 §10.2.3); what is neither, or is over, is undefined. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const isDate = header.endsWith(' GMT');
  const ms = /^\d{1,9}$/.test(header)
    ? Number(header) * 1000
    : isDate
      ? Date.parse(header) - now
      : Number.NaN;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
