/** The parameters of MAIL FROM that we offer: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954 §5). */

import type { Parameters } from './command.ts';
import { type Reply, reply } from './reply.ts';
import { tooLarge, unknownParameter } from './session-replies.ts';

const known = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'AUTH']);

/** The reply that refuses these parameters, or undefined. `messageBytes` is our size limit. */
export function checkMailParameters(parameters: Parameters, messageBytes: number): Reply | undefined {
  const unknown = [...parameters.keys()].filter((keyword) => !known.has(keyword));
  if (unknown.length > 0) return unknownParameter(unknown);
  const size = parameters.get('SIZE');
  if (size !== undefined && !/^\d{1,20}$/.test(size))
    return reply(501, '5.5.4', 'SIZE takes a number of octets');
  if (size !== undefined && Number(size) > messageBytes) return tooLarge(messageBytes);
  const body = parameters.get('BODY')?.toUpperCase();
  if (body !== undefined && body !== '7BIT' && body !== '8BITMIME')
    return reply(501, '5.5.4', 'BODY takes 7BIT or 8BITMIME');
  if (parameters.get('SMTPUTF8')) return reply(501, '5.5.4', 'SMTPUTF8 takes no value');
  return undefined;
}
