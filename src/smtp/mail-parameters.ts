/**
 * The parameters of MAIL FROM that we offer: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954 §5),
 * RET and ENVID (RFC 3461 §4.3, §4.4), under TLS REQUIRETLS (RFC 8689 §2), and at submission those of
 * scheduling-parameters.ts. Those of RCPT TO are in rcpt-parameters.ts.
 */

import type { Parameters } from './command.ts';
import { type Reply, reply } from './reply.ts';
import {
  checkScheduling,
  readScheduling,
  type SchedulingRequests,
  type SchedulingTerms,
  schedulingKeywords,
} from './scheduling-parameters.ts';
import { requireTlsNeedsTls, tooLarge, unknownParameter } from './session-replies.ts';
import { decodeXtext } from './xtext.ts';

/** What the sender asks of every server on the way. */
export interface MailRequests extends SchedulingRequests {
  /** REQUIRETLS (RFC 8689). */
  requireTls?: true;
  /** ENVID, decoded: the sender's own name for this sending, for reports about it. */
  envid?: string;
  /** RET: how much of the message a report about a failure returns. */
  ret?: 'full' | 'headers';
}

const known = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'AUTH', 'RET', 'ENVID', 'REQUIRETLS']);

/** RFC 3461 §4.4, §5.4: as much as every server takes, before and after decoding. */
const maxEnvidLength = 100;

const syntaxError = (text: string): Reply => reply(501, '5.5.4', text);

/** What holds for a session. */
export interface MailTerms {
  messageBytes: number;
  inTls: boolean;
  /** Absent where it is not offered. */
  scheduling?: SchedulingTerms | undefined;
  now: () => number;
}

/** The reply that refuses these parameters, or undefined. */
export function checkMailParameters(
  parameters: Parameters,
  { messageBytes, inTls, scheduling, now }: MailTerms,
): Reply | undefined {
  if (parameters.size === 0) return undefined;
  const isKnown = (keyword: string) =>
    known.has(keyword) || (scheduling !== undefined && schedulingKeywords.includes(keyword));
  const unknown = [...parameters.keys()].filter((keyword) => !isKnown(keyword));
  if (unknown.length > 0) return unknownParameter(unknown);
  return (
    checkSize(parameters.get('SIZE'), messageBytes) ??
    checkForm(parameters) ??
    checkReports(parameters) ??
    checkRequireTls(parameters.get('REQUIRETLS'), inTls) ??
    (scheduling && checkScheduling(parameters, scheduling, now()))
  );
}

function checkSize(size: string | undefined, messageBytes: number): Reply | undefined {
  if (size === undefined) return undefined;
  if (!/^\d{1,20}$/.test(size)) return syntaxError('SIZE takes a number of octets');
  return Number(size) > messageBytes ? tooLarge(messageBytes) : undefined;
}

function checkForm(parameters: Parameters): Reply | undefined {
  const body = parameters.get('BODY')?.toUpperCase();
  if (body !== undefined && body !== '7BIT' && body !== '8BITMIME')
    return syntaxError('BODY takes 7BIT or 8BITMIME');
  return parameters.get('SMTPUTF8') ? syntaxError('SMTPUTF8 takes no value') : undefined;
}

function checkReports(parameters: Parameters): Reply | undefined {
  const ret = parameters.get('RET');
  if (ret !== undefined && returned(ret) === undefined) return syntaxError('RET takes FULL or HDRS');
  const envid = parameters.get('ENVID');
  if (envid === undefined || readEnvid(envid) !== undefined) return undefined;
  return syntaxError(`ENVID takes 1 to ${maxEnvidLength} printable characters as xtext (RFC 3461 4)`);
}

function checkRequireTls(requireTls: string | undefined, inTls: boolean): Reply | undefined {
  if (requireTls === undefined) return undefined;
  if (requireTls !== '') return syntaxError('REQUIRETLS takes no value');
  return inTls ? undefined : requireTlsNeedsTls;
}

function returned(ret: string): MailRequests['ret'] {
  const word = ret.toUpperCase();
  return word === 'FULL' ? 'full' : word === 'HDRS' ? 'headers' : undefined;
}

function readEnvid(xtext: string): string | undefined {
  const envid = xtext.length > 3 * maxEnvidLength ? undefined : decodeXtext(xtext);
  return envid === undefined || envid === '' || envid.length > maxEnvidLength ? undefined : envid;
}

const asking = ['REQUIRETLS', 'RET', 'ENVID', ...schedulingKeywords];

/** What parameters that passed the check ask for; undefined for nothing. */
export function readMailRequests(parameters: Parameters): MailRequests | undefined {
  if (!asking.some((keyword) => parameters.has(keyword))) return undefined;
  const requireTls = parameters.has('REQUIRETLS');
  const ret = returned(parameters.get('RET') ?? '');
  const envid = readEnvid(parameters.get('ENVID') ?? '');
  return {
    ...(requireTls && { requireTls }),
    ...(envid !== undefined && { envid }),
    ...(ret !== undefined && { ret }),
    ...readScheduling(parameters),
  };
}
