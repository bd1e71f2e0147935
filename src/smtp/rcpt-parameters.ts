/** The parameters of RCPT TO that we offer: NOTIFY and ORCPT (RFC 3461 §4.1, §4.2; RFC 6533 §3 for UTF-8). */

import type { Parameters } from './command.ts';
import { type Reply, reply } from './reply.ts';
import { unknownParameter } from './session-replies.ts';
import { decodeXtext } from './xtext.ts';

export type NotifyKeyword = 'never' | 'success' | 'failure' | 'delay';

/** What the sender asks for one recipient. */
export interface RcptRequests {
  /** When a report is wanted. */
  notify?: readonly NotifyKeyword[];
  /** ORCPT as it came: whom the sender named first, `rfc822;` and xtext. */
  orcpt?: string;
}

const known = new Set(['NOTIFY', 'ORCPT']);

/** RFC 3461 §5.4: as much as every server takes. */
const maxOrcptLength = 500;

const syntaxError = (text: string): Reply => reply(501, '5.5.4', text);

/** The reply that refuses these parameters, or undefined. */
export function checkRcptParameters(parameters: Parameters): Reply | undefined {
  if (parameters.size === 0) return undefined;
  const unknown = [...parameters.keys()].filter((keyword) => !known.has(keyword));
  if (unknown.length > 0) return unknownParameter(unknown);
  const notify = parameters.get('NOTIFY');
  if (notify !== undefined && readNotify(notify) === undefined)
    return syntaxError('NOTIFY takes NEVER alone, or some of SUCCESS,FAILURE,DELAY');
  const orcpt = parameters.get('ORCPT');
  if (orcpt === undefined || originalRecipient(orcpt) !== undefined) return undefined;
  return syntaxError(
    `ORCPT takes rfc822;address with the address as xtext, ${maxOrcptLength} characters at most`,
  );
}

/** What parameters that passed the check ask for; undefined for nothing. */
export function readRcptRequests(parameters: Parameters): RcptRequests | undefined {
  if (parameters.size === 0) return undefined;
  const notify = readNotify(parameters.get('NOTIFY') ?? '');
  const orcpt = parameters.get('ORCPT');
  return { ...(notify !== undefined && { notify }), ...(orcpt !== undefined && { orcpt }) };
}

/** Each keyword once; NEVER stands alone. */
function readNotify(value: string): NotifyKeyword[] | undefined {
  const words = value.toLowerCase().split(',');
  const keywords = [...new Set(words)].filter(isKeyword);
  if (keywords.length < words.length) return undefined;
  return keywords.includes('never') && keywords.length > 1 ? undefined : keywords;
}

const isKeyword = (word: string): word is NotifyKeyword =>
  word === 'never' || word === 'success' || word === 'failure' || word === 'delay';

/** `utf-8;` with the escapes of RFC 6533 §3, or UTF-8 as it is. */
const utf8Address = /^(?:[!-*,-<>-[\]-~\u0080-\u{10ffff}]|\\x\{[0-9A-Fa-f]{2,6}\})+$/u;

/**
 * What stands in a report for an ORCPT: its type and the address decoded (RFC 3461 §6.3), all of it printable.
 * Undefined for what is no ORCPT.
 */
export function originalRecipient(orcpt: string): { type: string; address: string } | undefined {
  if (orcpt.length > maxOrcptLength) return undefined;
  const [, type, coded] = /^([A-Za-z0-9-]{1,60});(.+)$/u.exec(orcpt) ?? [];
  if (type === undefined || coded === undefined) return undefined;
  if (type.toLowerCase() === 'utf-8') return utf8Address.test(coded) ? { type, address: coded } : undefined;
  const address = decodeXtext(coded);
  return address === undefined ? undefined : { type, address };
}
