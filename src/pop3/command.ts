/**
 * A POP3 command line → a Command value (RFC 1939 §9, RFC 2449 §4, RFC 2595 §4, RFC 5034 §4). Syntax only: what is
 * allowed when is decided in authorization.ts and transaction.ts.
 */

import { isUtf8 } from 'node:buffer';

export type Command =
  | { keyword: 'USER'; user: string }
  | { keyword: 'PASS'; password: string }
  | { keyword: 'AUTH'; mechanism: string; initialResponse: string | undefined }
  | { keyword: 'CAPA' | 'NOOP' | 'QUIT' | 'RSET' | 'STAT' | 'STLS' }
  | { keyword: 'LIST' | 'UIDL'; number: number | undefined }
  | { keyword: 'RETR' | 'DELE'; number: number }
  | { keyword: 'TOP'; number: number; bodyLines: number }
  /** `text` says what is wrong with it, and what would be right. */
  | { keyword: 'invalid'; text: string };

const invalid = (text: string): Command => ({ keyword: 'invalid', text });

/** Parses one line without its line end. */
export function parseCommand(line: Buffer): Command {
  const text = decode(line);
  if (text === undefined) return invalid('Control characters and broken UTF-8 are not allowed in commands');
  const space = text.indexOf(' ');
  const keyword = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  // What follows the first space is kept to the letter: a password may begin or end with spaces (RFC 1939 §7, PASS).
  const argument = space === -1 ? undefined : text.slice(space + 1);
  return keyword === 'PASS' ? parsePass(argument) : parseWords(keyword, argument?.trim() ?? '');
}

/** ASCII or UTF-8 (which RFC 6856 §2 lets into names and passwords) without controls, or undefined. */
function decode(line: Buffer): string | undefined {
  if (line.some((octet) => octet < 0x20 || octet === 0x7f)) return undefined;
  return isUtf8(line) ? line.toString('utf8') : undefined;
}

function parsePass(password: string | undefined): Command {
  return password ? { keyword: 'PASS', password } : invalid('Syntax: PASS password');
}

function parseWords(keyword: string, argument: string): Command {
  switch (keyword) {
    case 'USER':
      return argument === '' ? invalid('Syntax: USER name@example.org') : { keyword, user: argument };
    case 'AUTH':
      return parseAuth(argument);
    case 'CAPA':
    case 'NOOP':
    case 'QUIT':
    case 'RSET':
    case 'STAT':
    case 'STLS':
      return argument === '' ? { keyword } : invalid(`${keyword} takes no argument`);
    case 'LIST':
    case 'UIDL':
      return argument === '' ? { keyword, number: undefined } : parseNumbered(keyword, argument);
    case 'RETR':
    case 'DELE':
      return parseNumbered(keyword, argument);
    case 'TOP':
      return parseTop(argument);
    default:
      return invalid('Unknown command; CAPA lists what can be done here');
  }
}

function parseNumbered(keyword: 'LIST' | 'UIDL' | 'RETR' | 'DELE', argument: string): Command {
  return /^\d{1,9}$/.test(argument)
    ? { keyword, number: Number(argument) }
    : invalid(`Syntax: ${keyword} message-number`);
}

function parseTop(argument: string): Command {
  const [, number, bodyLines] = /^(\d{1,9}) +(\d{1,9})$/.exec(argument) ?? [];
  return number === undefined
    ? invalid('Syntax: TOP message-number number-of-lines')
    : { keyword: 'TOP', number: Number(number), bodyLines: Number(bodyLines) };
}

/** `AUTH mechanism [initial-response]` (RFC 5034 §4). */
function parseAuth(argument: string): Command {
  const [, mechanism, initialResponse] = /^([A-Za-z0-9_-]{1,20})(?: +(\S+))?$/.exec(argument) ?? [];
  return mechanism === undefined
    ? invalid('Syntax: AUTH mechanism [initial-response]')
    : { keyword: 'AUTH', mechanism: mechanism.toUpperCase(), initialResponse };
}
