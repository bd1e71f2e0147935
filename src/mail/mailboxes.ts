/**
 * Address lists of header fields such as From, Sender and To (RFC 5322 §3.4, RFC 6854): groups, display names,
 * comments and folds. Encoded words are never decoded: in an address they are characters like any others, so that no
 * two readers can disagree about who is meant. One pass over tokens, linear whatever the text.
 */

import { type Address, parseAddress } from './address.ts';

export interface Mailbox extends Address {
  /** Words joined by single spaces, unquoted, encoded words as they are; '' where there is none. */
  displayName: string;
}

export interface MailboxList {
  /** In order; the members of groups among them. */
  mailboxes: Mailbox[];
}

interface Token {
  kind: 'word' | 'quoted' | 'special';
  /** As written, quotes and backslashes included. */
  text: string;
  /** White space or a comment stands before it. */
  spaced: boolean;
}

/** Characters of a list beyond which it is not read: each of its addresses costs time. Room for a thousand and more. */
export const maxListLength = 65_536;

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a field's value may not hold, quoted or not.
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const blank = /[ \t\r\n]+/y;
/** Anything that is neither a delimiter nor white space; wider than RFC 5322 atext, as `parseAddress()` is stricter. */
const atom = /[^\s"(),.:;<>@[\\\]]+/y;
const domainLiteral = /\[[^[\\\]\s]*\]/y;
const specials = '<>,;:@.';

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The offset after the comment that starts at `at`; comments nest (RFC 5322 §3.2.2). Undefined where it never ends. */
function commentEnd(text: string, at: number): number | undefined {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\') index += 1;
    else if (character === '(') depth += 1;
    else if (character === ')' && --depth === 0) return index + 1;
  }
  return undefined;
}

/** The offset after the quoted string that begins at `at` (RFC 5322 §3.2.4); undefined where it never ends. */
export function quotedStringEnd(text: string, at: number): number | undefined {
  for (let index = at + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"') return index + 1;
  }
  return undefined;
}

function tokenAt(text: string, at: number): Omit<Token, 'spaced'> | undefined {
  const character = text.charAt(at);
  if (specials.includes(character)) return { kind: 'special', text: character };
  if (character === '"') {
    const end = quotedStringEnd(text, at);
    return end === undefined ? undefined : { kind: 'quoted', text: text.slice(at, end) };
  }
  const word = matchAt(atom, text, at) ?? matchAt(domainLiteral, text, at);
  return word === undefined ? undefined : { kind: 'word', text: word };
}

/** The offset after white space or a comment; `at` itself where there is neither. Undefined for an endless comment. */
function skipBlank(text: string, at: number): number | undefined {
  if (text[at] === '(') return commentEnd(text, at);
  return at + (matchAt(blank, text, at)?.length ?? 0);
}

/** Undefined at the first character that fits nothing. */
function tokenize(text: string): Token[] | undefined {
  if (control.test(text)) return undefined;
  const tokens: Token[] = [];
  let tokenEnd = 0;
  for (let at = 0; at < text.length; ) {
    const next = skipBlank(text, at);
    if (next === undefined) return undefined;
    if (next === at) {
      const token = tokenAt(text, at);
      if (token === undefined) return undefined;
      tokens.push({ ...token, spaced: at > tokenEnd });
      tokenEnd = at + token.text.length;
    }
    at = Math.max(next, tokenEnd);
  }
  return tokens;
}

const isSpecial = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'special' && token.text === text;

const isWord = (token: Token | undefined): boolean => token !== undefined && token.kind !== 'special';

/** Two words without a dot between them are a phrase, not an address, and joining them would make one up. */
function hasAdjacentWords(tokens: readonly Token[]): boolean {
  return tokens.some((token, index) => isWord(token) && isWord(tokens[index + 1]));
}

function addressOf(tokens: readonly Token[]): Address | undefined {
  if (hasAdjacentWords(tokens)) return undefined;
  return parseAddress(tokens.map(({ text }) => text).join(''));
}

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\r?\n/g, '').replace(/\\(.)/gu, '$1');
}

function displayNameOf(tokens: readonly Token[]): string {
  const words = tokens.map(
    ({ kind, text, spaced }) => (spaced ? ' ' : '') + (kind === 'quoted' ? unquote(text) : text),
  );
  return words.join('').trim();
}

/** What stands between `<` and `>`, a source route left away as it must be ignored (RFC 5322 §4.4). */
function withoutRoute(tokens: readonly Token[]): readonly Token[] {
  if (!isSpecial(tokens[0], '@')) return tokens;
  const colon = tokens.findIndex((token) => isSpecial(token, ':'));
  return tokens.slice(colon + 1);
}

/** Collects the entries of one list; every method is false at a syntax error. */
class ListReader {
  readonly mailboxes: Mailbox[] = [];
  /** Tokens since the last separator: a display name, a group's name or an address. */
  #pending: Token[] = [];
  #inGroup = false;
  /** An angle address was just read: only a separator may follow. */
  #closed = false;

  take(token: Token): boolean {
    if (isSpecial(token, ',')) return this.#endEntry();
    if (isSpecial(token, ':')) return this.#openGroup();
    if (isSpecial(token, ';')) return this.#closeGroup();
    this.#pending.push(token);
    return !this.#closed && !isSpecial(token, '>');
  }

  angle(tokens: readonly Token[]): boolean {
    const address = addressOf(withoutRoute(tokens));
    if (address === undefined || this.#closed) return false;
    this.mailboxes.push({ ...address, displayName: displayNameOf(this.#pending) });
    this.#pending = [];
    this.#closed = true;
    return true;
  }

  end(): boolean {
    return this.#endEntry() && !this.#inGroup;
  }

  #openGroup(): boolean {
    const named = this.#pending.length > 0 && !this.#closed && !this.#inGroup;
    this.#pending = [];
    this.#inGroup = true;
    return named;
  }

  /** Empty entries are read over (RFC 5322 §4.4, obs-addr-list). */
  #endEntry(): boolean {
    const tokens = this.#pending;
    this.#pending = [];
    this.#closed = false;
    if (tokens.length === 0) return true;
    const address = addressOf(tokens);
    if (address !== undefined) this.mailboxes.push({ ...address, displayName: '' });
    return address !== undefined;
  }

  /** Some write `a: x@y; b: z@y;` without the comma: what follows the group is read as an entry of its own. */
  #closeGroup(): boolean {
    const open = this.#inGroup;
    this.#inGroup = false;
    return this.#endEntry() && open;
  }
}

/** Reads the tokens of one list, or says that they are none. */
function readList(tokens: readonly Token[], reader: ListReader): boolean {
  /** Where an open angle bracket is, until its closing one. */
  let angleAt: number | undefined;
  for (const [index, token] of tokens.entries()) {
    if (angleAt !== undefined) {
      if (!isSpecial(token, '>')) continue;
      if (!reader.angle(tokens.slice(angleAt + 1, index))) return false;
      angleAt = undefined;
    } else if (isSpecial(token, '<')) angleAt = index;
    else if (!reader.take(token)) return false;
  }
  return angleAt === undefined && reader.end();
}

/**
 * Reads the value of an address-list field. An unquoted `@`, `.` or `[tag]` in a display name is let pass, since
 * common programs write `a@b.example <a@b.example>`; the address is always what the angle brackets hold.
 * Undefined at a syntax error anywhere in the list, and for one over `maxListLength`. An empty list or group is no
 * error, and has no mailboxes.
 */
export function mailboxesOf(value: string): MailboxList | undefined {
  const tokens = value.length > maxListLength ? undefined : tokenize(value);
  const reader = new ListReader();
  return tokens !== undefined && readList(tokens, reader) ? { mailboxes: reader.mailboxes } : undefined;
}
