/**
 * The Authentication-Results field (RFC 8601): written from our verdicts, and told apart from one that somebody else
 * wrote in our name. Verdicts hold what hostile messages and zones held, so that every value is quoted or made harmless.
 */

import { quotedStringEnd } from '../mail/mailboxes.ts';
import type {
  ArcVerdict,
  DkimVerdict,
  DmarcVerdict,
  IprevVerdict,
  SpfVerdict,
  Verdicts,
} from './verdicts.ts';

/**
 * The whole field, folded, with its final CRLF. `hostname` is the authserv-id (RFC 8601 §2.5). `withChain`: says so too where
 * there are no ARC sets.
 */
export function authenticationResults(
  verdicts: Verdicts,
  hostname: string,
  { withChain = false } = {},
): string {
  const { spf, dkim, dmarc, iprev, arc, client } = verdicts;
  const signatures = dkim.length === 0 ? [['dkim=none']] : dkim.map(dkimResult);
  const chain =
    arc === undefined || (arc.result === 'none' && !withChain) ? [] : [arcResult(arc, client.address)];
  const results = [
    spfResult(spf),
    ...signatures,
    dmarcResult(dmarc),
    iprevResult(iprev, client.address),
    ...chain,
  ];
  return `Authentication-Results: ${[hostname, ...results.map(foldWords)].join(';\r\n\t')}\r\n`;
}

const lineLength = 76;

/** One result: on a line of its own, and on more where it is longer. */
function foldWords(words: readonly string[]): string {
  let column = 0;
  const folded = words.map((word, index) => {
    const fits = column + word.length < lineLength;
    column = fits ? column + 1 + word.length : word.length;
    if (index === 0) return word;
    return fits ? ` ${word}` : `\r\n\t\t${word}`;
  });
  return folded.join('');
}

/** Without the local part, which RFC 8601 §2.7.2 wants only for records that depend on it. */
function spfResult({ result, domain, scope, reason }: SpfVerdict): string[] {
  return [
    `spf=${result}`,
    ...reasonUnless(result === 'pass', told(result, reason)),
    ...property(`smtp.${scope}`, domain),
  ];
}

function dkimResult({ result, domain, selector, algorithm, signature, reason }: DkimVerdict): string[] {
  return [
    `dkim=${result}`,
    ...reasonUnless(reason === 'verified', told(result, reason)),
    ...property('header.d', domain),
    ...property('header.s', selector),
    ...property('header.a', algorithm),
    ...property('header.b', signature),
  ];
}

function dmarcResult({ result, domain, published, reason }: DmarcVerdict): string[] {
  const { p, sp, np, testing } = published ?? {};
  const tags = [p && `p=${p}`, sp && `sp=${sp}`, np && `np=${np}`, testing && 't=y'].filter((tag) => tag);
  return [
    `dmarc=${result}`,
    ...reasonUnless(result === 'pass' || result === 'fail' || result === 'none', told(result, reason)),
    ...(tags.length > 0 ? [`(${tags.join(' ')})`] : []),
    ...property('header.from', domain),
  ];
}

function iprevResult({ result, name, reason }: IprevVerdict, address: string): string[] {
  return [
    `iprev=${result}`,
    ...reasonUnless(result === 'pass', told(result, reason)),
    ...(name === '' ? [] : [`(${harmless(name).replace(/[\\"]/g, '?')})`]),
    ...property('policy.iprev', address),
  ];
}

/** RFC 8617 §10.2: the sets by their number, and from which one on the message is unchanged. */
function arcResult({ result, instances, oldestPass, reason }: ArcVerdict, address: string): string[] {
  return [
    `arc=${result}`,
    ...reasonUnless(result === 'pass' || result === 'none', told(result, reason)),
    ...(instances ? [`(i=${instances})`] : []),
    ...(oldestPass === undefined ? [] : [`header.oldest-pass=${oldestPass}`]),
    ...property('smtp.remote-ip', address),
  ];
}

/** Which server of ours was asked, and how that went, is for our dossier. */
const told = (result: string, reason: string): string =>
  result === 'temperror' ? 'DNS did not tell' : reason;

const longestText = 200;

function reasonUnless(evident: boolean, reason: string): string[] {
  return evident || reason === '' ? [] : [`reason=${quoted(harmless(reason).slice(0, longestText))}`];
}

/** RFC 2045 §5.1: what may stand unquoted. */
const token = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;

/** Longer than any name; a value that would make an overlong line is left out rather than cut into another name. */
const longestValue = 255;

function property(name: string, value: string): string[] {
  const text = harmless(value);
  if (text === '' || text.length > longestValue) return [];
  return [`${name}=${token.test(text) ? text : quoted(text)}`];
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * Printable ASCII on one line; anything else becomes a question mark. So do semicolons and parentheses, although they
 * could be quoted: many readers split this field without looking at quotes.
 */
const harmless = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e]|[;()]/g, '?')
    .trim();

/**
 * Whether an Authentication-Results field of a message from outside must be removed (RFC 8601 §5): it claims our name,
 * or its authserv-id cannot be read and our name occurs in it. `value` is the field's, unfolded.
 */
export function isForgedResults(value: string, hostname: string): boolean {
  const ours = hostname.toLowerCase();
  const id = authservId(value);
  if (id === undefined) return value.toLowerCase().includes(ours) || looselyRead(value).startsWith(ours);
  return id.toLowerCase().replace(/\.$/, '') === ours;
}

/** As who passes over comments, quotes and white space, wherever they stand, reads its beginning. */
function looselyRead(value: string): string {
  let depth = 0;
  let text = '';
  for (const character of value.slice(0, longestLoose)) {
    if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth === 0 && !/[\s"\\]/.test(character)) text += character;
  }
  return text.toLowerCase();
}

/** Characters of a value in which a name is looked for so. */
const longestLoose = 4096;

/** The authserv-id: a token or quoted string between comments, then a version or nothing, then `;` or the end. */
function authservId(value: string): string | undefined {
  const start = skipComments(value, 0);
  const word = start === undefined ? undefined : wordAt(value, start);
  if (start === undefined || word === undefined) return undefined;
  const rest = skipComments(value, start + word.length);
  if (rest === undefined) return undefined;
  const version = /\d+/y;
  version.lastIndex = rest;
  const afterVersion = skipComments(value, rest + (version.exec(value)?.[0].length ?? 0));
  const ended = afterVersion !== undefined && (afterVersion === value.length || value[afterVersion] === ';');
  return ended ? unquote(word) : undefined;
}

function wordAt(text: string, start: number): string | undefined {
  if (text[start] === '"') {
    const end = quotedStringEnd(text, start);
    return end === undefined ? undefined : text.slice(start, end);
  }
  const word = /[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+/y;
  word.lastIndex = start;
  return word.exec(text)?.[0];
}

function unquote(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/gs, '$1').trim() : word;
}

/** The offset after white space and nested comments (RFC 5322 §3.2.2); undefined where a comment does not end. */
function skipComments(text: string, start: number): number | undefined {
  let depth = 0;
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\' && depth > 0) at++;
    else if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth === 0 && !/\s/.test(character)) break;
  }
  return depth === 0 ? Math.min(at, text.length) : undefined;
}
