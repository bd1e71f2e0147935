/**
 * What rspamd is asked (`POST /checkv2`: the message, and what is known of its client in header fields) and what it
 * answers, in JSON. Without sockets. There is no RFC; rspamd's protocol documentation describes it.
 */

import { type AddedField, addedField } from '../added-fields.ts';
import { bounded, FilterError } from '../stream.ts';

export interface RspamdQuestion {
  clientAddress: string;
  clientName?: string | undefined;
  helo: string;
  /** '' for the null sender. */
  from: string;
  recipients: readonly string[];
  user?: string | undefined;
  queueId: string;
  tls?: { version: string; cipher: string } | undefined;
  /** Our own name. */
  hostname: string;
}

export interface RspamdAnswer {
  action: string;
  score: number;
  required: number;
  /** Those that weigh most come first. */
  symbols: { name: string; score: number }[];
  /** What the client is to be told. */
  message?: string;
  /** What it wants in front of the message. */
  fields: AddedField[];
  /** What it asks for besides, in words: nothing is taken away here. */
  notDone: string[];
}

/** Octets of an answer. */
export const maxAnswerBytes = 2 ** 20;
const maxSymbols = 20;
const maxRecipients = 1000;
const maxFields = 20;

/** Names and values of header fields of HTTP, one `Rcpt` for each recipient. */
export function questionFields(question: RspamdQuestion): [name: string, value: string][] {
  const { clientAddress, clientName, helo, from, recipients, user, queueId, tls, hostname } = question;
  const fields: [string, string | undefined][] = [
    ['IP', clientAddress],
    ['Hostname', clientName],
    ['Helo', helo],
    ['From', from],
    ...recipients.slice(0, maxRecipients).map((each): [string, string] => ['Rcpt', each]),
    ['User', user],
    ['Queue-Id', queueId],
    ['MTA-Name', hostname],
    ['TLS-Version', tls?.version],
    ['TLS-Cipher', tls?.cipher],
  ];
  return fields.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, octetsOf(value)] as [string, string]],
  );
}

/** HTTP's header fields are octets to Node, one for each character; a line end in one would be another field. */
const octetsOf = (value: string): string => Buffer.from(value.replace(/\p{Cc}/gu, ' ')).toString('latin1');

/** Throws a FilterError where it is not what rspamd answers. */
export function readAnswer(json: string): RspamdAnswer {
  const answer = parse(json);
  const { action, score, required_score: required, symbols, messages, milter } = answer;
  if (typeof action !== 'string' || typeof score !== 'number' || !Number.isFinite(score))
    throw new FilterError('lied', 'an answer without action and score');
  const message =
    isTable(messages) && typeof messages.smtp_message === 'string' ? bounded(messages.smtp_message) : '';
  return {
    action: bounded(action, 60),
    score,
    required: typeof required === 'number' && Number.isFinite(required) ? required : 0,
    symbols: isTable(symbols) ? heaviest(symbols) : [],
    ...(message !== '' && { message }),
    fields: isTable(milter) && isTable(milter.add_headers) ? fieldsOf(milter.add_headers) : [],
    notDone: isTable(milter) && isTable(milter.remove_headers) ? removalsOf(milter.remove_headers) : [],
  };
}

function parse(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (isTable(value)) return value;
  } catch (error) {
    throw new FilterError('lied', 'its answer is no JSON', error);
  }
  throw new FilterError('lied', 'its answer is no object of JSON');
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function heaviest(symbols: Record<string, unknown>): { name: string; score: number }[] {
  return Object.entries(symbols)
    .flatMap(([name, symbol]) =>
      isTable(symbol) && typeof symbol.score === 'number' && Number.isFinite(symbol.score)
        ? [{ name: bounded(name, 60), score: symbol.score }]
        : [],
    )
    .sort((one, other) => Math.abs(other.score) - Math.abs(one.score))
    .slice(0, maxSymbols);
}

const removalsOf = (removed: Record<string, unknown>): string[] =>
  Object.keys(removed)
    .slice(0, maxFields)
    .map((name) => `remove the header field ${bounded(name, 60)}`);

/** By name: a value, an object with one, or a list of these. */
function fieldsOf(added: Record<string, unknown>): AddedField[] {
  return Object.entries(added)
    .flatMap(([name, given]) =>
      [given].flat().map((each) => ({ name, value: isTable(each) ? each.value : each })),
    )
    .flatMap(({ name, value }) => (typeof value === 'string' ? [addedField(name, value)] : []))
    .slice(0, maxFields);
}
