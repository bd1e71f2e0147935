/**
 * What a filter may say (SMFIR_*): answers, by which it has decided or wants to hear more, and at the end of a message also
 * changes. Whatever the octets, one of these or a FilterError.
 */

import type { Reply } from '../../smtp/reply.ts';
import { bounded, FilterError } from '../stream.ts';
import { type Packet, readTexts } from './packet.ts';

export type MilterAnswer =
  | { verdict: 'continue' | 'accept' | 'discard' }
  | { verdict: 'reject' | 'tempfail'; reply?: Reply };

export type MilterChange =
  | { change: 'addField'; name: string; value: string }
  | { change: 'insertField'; index: number; name: string; value: string }
  /** An empty value takes the field away. */
  | { change: 'changeField'; index: number; name: string; value: string }
  | { change: 'replaceBody' }
  | { change: 'changeSender' | 'addRecipient' | 'deleteRecipient'; address: string }
  | { change: 'quarantine'; reason: string };

export type Said =
  | { kind: 'answer'; answer: MilterAnswer }
  | { kind: 'change'; change: MilterChange }
  /** It is alive, and needs more time. */
  | { kind: 'progress' }
  /** It has heard enough of the body. */
  | { kind: 'skip' };

const wordBytes = 4;
const maxReplyLines = 20;
const maxReplyLineLength = 300;

const answer = (verdict: MilterAnswer['verdict']): Said => ({ kind: 'answer', answer: { verdict } });
const change = (change: MilterChange): Said => ({ kind: 'change', change });

const readers: Readonly<Record<string, (data: Buffer) => Said>> = {
  a: () => answer('accept'),
  c: () => answer('continue'),
  d: () => answer('discard'),
  r: () => answer('reject'),
  t: () => answer('tempfail'),
  // SMFIR_CONN_FAIL, SMFIR_SHUTDOWN: this connection is not wanted now.
  f: () => answer('tempfail'),
  '4': () => answer('tempfail'),
  y: (data) => ({ kind: 'answer', answer: readReplyCode(data) }),
  p: () => ({ kind: 'progress' }),
  s: () => ({ kind: 'skip' }),
  h: (data) => change({ change: 'addField', ...readField(data) }),
  i: (data) =>
    change({ change: 'insertField', index: readIndex(data), ...readField(data.subarray(wordBytes)) }),
  m: (data) =>
    change({ change: 'changeField', index: readIndex(data), ...readField(data.subarray(wordBytes)) }),
  b: () => change({ change: 'replaceBody' }),
  e: (data) => change({ change: 'changeSender', address: readFirst(data) }),
  '+': (data) => change({ change: 'addRecipient', address: readFirst(data) }),
  '2': (data) => change({ change: 'addRecipient', address: readFirst(data) }),
  '-': (data) => change({ change: 'deleteRecipient', address: readFirst(data) }),
  q: (data) => change({ change: 'quarantine', reason: readFirst(data) }),
};

/** Throws a FilterError for what nobody says. */
export function readSaid({ letter, data }: Packet): Said {
  const read = Object.hasOwn(readers, letter) ? readers[letter] : undefined;
  if (read === undefined) throw new FilterError('lied', `it says "${bounded(letter)}", which means nothing`);
  return read(data);
}

function readIndex(data: Buffer): number {
  if (data.length < wordBytes) throw new FilterError('lied', 'a change of a header field without its place');
  return data.readUInt32BE();
}

function readField(data: Buffer): { name: string; value: string } {
  const [name = '', value = ''] = readTexts(data, 2);
  return { name, value };
}

const readFirst = (data: Buffer): string => bounded(readTexts(data, 1)[0] ?? '');

/** `550 5.7.1 text`, or lines of that. Sendmail makes a format of it, and so a filter doubles its percent signs. */
function readReplyCode(data: Buffer): MilterAnswer {
  const [text = ''] = readTexts(data, 1);
  const lines = text.replaceAll('%%', '%').split(/\r?\n/).slice(0, maxReplyLines);
  const [, code = '', enhanced = ''] =
    /^([45]\d\d)(?:[- ](?:([245]\.\d{1,3}\.\d{1,3})(?=\s|$))?|$)/.exec(lines[0] ?? '') ?? [];
  if (code === '') throw new FilterError('lied', `"${bounded(text, 60)}" is no reply to a client`);
  const fitting = enhanced.startsWith(code.charAt(0)) ? enhanced : `${code.charAt(0)}.7.1`;
  const reply = { code: closing(Number(code)), enhanced: fitting, lines: lines.map(withoutCodes) };
  return { verdict: code.startsWith('4') ? 'tempfail' : 'reject', reply };
}

/** 421 would promise that we close the connection. */
const closing = (code: number): number => (code === 421 ? 451 : code);

function withoutCodes(line: string): string {
  const words = line.replace(/^[45]\d\d(?:[- ]|$)/, '').replace(/^[245]\.\d{1,3}\.\d{1,3}(?:\s+|$)/, '');
  // A client that has not asked for SMTPUTF8 hears ASCII only (RFC 6531 §3.7.4.1).
  return bounded(words, maxReplyLineLength).replace(/[^\x20-\x7e]/g, '?') || 'Refused by a mail filter';
}
