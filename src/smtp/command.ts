/**
 * An SMTP command line → a Command value, or the reply that says what is wrong with it (RFC 5321 §4.1, with the
 * parameters of RFC 1870, 3030, 4954, 6152 and 6531). Syntax only: order and permission are decided elsewhere.
 */

import { isUtf8 } from 'node:buffer';
import { type Reply, reply } from './reply.ts';

export type Command =
  | { verb: 'HELO' | 'EHLO' | 'LHLO'; name: string }
  | { verb: 'MAIL'; path: string; parameters: Parameters }
  | { verb: 'RCPT'; path: string; parameters: Parameters }
  | { verb: 'BDAT'; sizeBytes: number; last: boolean }
  | { verb: 'AUTH'; mechanism: string; initialResponse: string | undefined }
  | { verb: 'VRFY' | 'HELP' | 'NOOP' }
  | { verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' }
  | { verb: 'invalid'; reply: Reply };

/** ESMTP parameters by upper-case keyword; a keyword without a value has ''. */
export type Parameters = ReadonlyMap<string, string>;

const syntaxError = (text: string): Command => ({ verb: 'invalid', reply: reply(501, '5.5.4', text) });

/** Parses one line without its line end. */
export function parseCommand(bytes: Buffer): Command {
  const text = decode(bytes);
  if (text === undefined)
    return {
      verb: 'invalid',
      reply: reply(500, '5.5.2', 'Control characters and broken UTF-8 are not allowed in commands'),
    };
  const space = text.indexOf(' ');
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const argument = space === -1 ? '' : text.slice(space + 1).trim();
  return parseArgument(verb, argument);
}

function parseArgument(verb: string, argument: string): Command {
  switch (verb) {
    case 'HELO':
    case 'EHLO':
    case 'LHLO':
      return parseHello(verb, argument);
    case 'MAIL':
      return parsePathCommand(verb, 'FROM:', argument);
    case 'RCPT':
      return parsePathCommand(verb, 'TO:', argument);
    case 'BDAT':
      return parseBdat(argument);
    case 'AUTH':
      return parseAuth(argument);
    case 'VRFY':
    case 'HELP':
    case 'NOOP':
      return { verb };
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return argument === '' ? { verb } : syntaxError(`${verb} takes no argument`);
    case 'EXPN':
    case 'TURN':
    case 'ETRN':
      return { verb: 'invalid', reply: reply(502, '5.5.1', `${verb} is not offered here`) };
    default:
      return { verb: 'invalid', reply: reply(500, '5.5.1', 'Unknown command; try HELP') };
  }
}

/** ASCII or UTF-8 without controls (RFC 6531 §3.3), or undefined. A tab counts as a space, as people type it. */
function decode(bytes: Buffer): string | undefined {
  let ascii = true;
  for (const octet of bytes) {
    if ((octet < 0x20 && octet !== 0x09) || octet === 0x7f) return undefined;
    if (octet >= 0x80) ascii = false;
  }
  if (ascii) return bytes.toString('latin1').replaceAll('\t', ' ').trimEnd();
  return isUtf8(bytes) ? bytes.toString('utf8').replaceAll('\t', ' ').trimEnd() : undefined;
}

/** RFC 5321 §4.1.1.1 wants a domain or an address literal; what is taken here is any single word, as most do. */
function parseHello(verb: 'HELO' | 'EHLO' | 'LHLO', name: string): Command {
  if (name === '') return syntaxError(`${verb} needs your host name: ${verb} mail.example.org`);
  if (name.includes(' ') || name.length > 255) return syntaxError(`${verb} takes one host name`);
  return { verb, name };
}

/**
 * `FROM:<path> KEY=value KEY`. A space after the colon is let pass: many clients write one (RFC 5321 §3.3 forbids it,
 * and every large server accepts it). Angle brackets are required.
 */
function parsePathCommand(verb: 'MAIL' | 'RCPT', keyword: string, argument: string): Command {
  const example = `${verb} ${keyword}<user@example.org>`;
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return syntaxError(`Syntax: ${example}`);
  const rest = argument.slice(keyword.length).trimStart();
  const end = endOfPath(rest);
  if (end === undefined) return syntaxError(`Address in angle brackets expected: ${example}`);
  const parameters = parseParameters(rest.slice(end));
  if (parameters === undefined)
    return syntaxError('Parameters must be KEYWORD or KEYWORD=value, once each, separated by a space');
  return { verb, path: rest.slice(1, end - 1), parameters };
}

/** Offset after the `>` that closes the path; a `>` in a quoted local part does not. */
function endOfPath(text: string): number | undefined {
  if (text[0] !== '<') return undefined;
  let quoted = false;
  for (let index = 1; index < text.length; index++) {
    const character = text[index];
    if (character === '\\' && quoted) index++;
    else if (character === '"') quoted = !quoted;
    else if (character === '>' && !quoted) return index + 1;
  }
  return undefined;
}

const parameterSyntax = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\s=]+))?$/;

function parseParameters(text: string): Parameters | undefined {
  const parameters = new Map<string, string>();
  if (text === '') return parameters;
  if (text[0] !== ' ') return undefined;
  for (const word of text.trim().split(/ +/)) {
    const match = parameterSyntax.exec(word);
    const keyword = match?.[1]?.toUpperCase();
    if (keyword === undefined || parameters.has(keyword)) return undefined;
    parameters.set(keyword, match?.[2] ?? '');
  }
  return parameters;
}

/** RFC 3030 §2: `BDAT size [LAST]`. */
function parseBdat(argument: string): Command {
  const match = /^(\d{1,15})( +LAST)?$/i.exec(argument);
  if (!match) return syntaxError('Syntax: BDAT size [LAST]');
  return { verb: 'BDAT', sizeBytes: Number(match[1]), last: match[2] !== undefined };
}

/** RFC 4954 §4: `AUTH mechanism [initial-response]`. */
function parseAuth(argument: string): Command {
  const match = /^([A-Za-z0-9_-]{1,20})(?: +(\S+))?$/.exec(argument);
  if (!match?.[1]) return syntaxError('Syntax: AUTH mechanism [initial-response]');
  return { verb: 'AUTH', mechanism: match[1].toUpperCase(), initialResponse: match[2] };
}
