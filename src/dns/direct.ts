/**
 * A question to one certain name server, and its reply whole, with the flags: for who examines servers rather than wants an
 * answer. Knows no sockets. RFC 1035 §4.1, RFC 4035 §3.1.4 (AD), §3.2.2 (CD).
 */

import {
  AUTHENTIC_DATA,
  CHECKING_DISABLED,
  DNSSEC_OK,
  encode,
  type Answer as PacketRecord,
  RECURSION_DESIRED,
} from 'dns-packet';
import { type RecordSet, recordSetsOf } from './dnssec.ts';
import { edns, parseMessage } from './message.ts';
import { canonicalName, isAskableName } from './name.ts';
import { type ShownRecord, type ShownType, shownRecord } from './record-text.ts';
import { readWireAnswers } from './wire-records.ts';

export interface DirectQuestion {
  /** Canonical. */
  name: string;
  type: ShownType;
  /** Of a resolver, which is to find the answer elsewhere; a server with a zone of its own is asked without. */
  recursive?: boolean;
  /** The answer is wanted even where its signatures are wrong. */
  unchecked?: boolean;
  /** At once, and not only where the reply does not fit into a datagram. */
  overTcp?: boolean;
  /** With its signatures (DO: RFC 4035 §3.2.1). */
  signed?: boolean;
}

export interface DirectReply {
  /** `NOERROR`, `NXDOMAIN`, `REFUSED` … */
  rcode: string;
  /** From the zone itself (AA). */
  authoritative: boolean;
  /** Told as proven by DNSSEC (AD). */
  authentic: boolean;
  answers: readonly ShownRecord[];
  authorities: readonly ShownRecord[];
  additionals: readonly ShownRecord[];
  /** Where signatures were asked for: what is in the answer, with those that cover it. */
  sets: readonly RecordSet[];
}

const headerBytes = 12;
const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** Undefined when no message can hold the name. */
export function encodeDirect(
  id: number,
  { name, type, recursive = false, unchecked = false, signed = false }: DirectQuestion,
): Buffer | undefined {
  if (name !== '' && !isAskableName(name)) return undefined;
  const flags = (recursive ? RECURSION_DESIRED | AUTHENTIC_DATA : 0) | (unchecked ? CHECKING_DISABLED : 0);
  return encode({
    type: 'query',
    id,
    flags,
    questions: [{ name: name === '' ? '.' : name, type }],
    additionals: [signed ? { ...edns, flags: DNSSEC_OK, flag_do: true } : edns],
  });
}

/** Undefined for what is no reply to the question. Never throws, whatever the bytes. */
export function decodeDirect(
  bytes: Buffer,
  id: number,
  question: DirectQuestion,
): DirectReply | 'truncated' | 'malformed' | undefined {
  const isReply = bytes.length >= headerBytes && bytes.readUInt16BE(0) === id && bytes.readInt8(2) < 0;
  if (!isReply) return undefined;
  const packet = parseMessage(bytes);
  if (packet === undefined) return 'malformed';
  const code = (packet.flags ?? 0) & 0x0f;
  const [asked] = packet.questions ?? [];
  const repeats = asked && asked.type === question.type && canonicalName(asked.name) === question.name;
  if (!repeats && (asked !== undefined || code === 0)) return undefined;
  if (packet.flag_tc) return 'truncated';
  return {
    rcode: rcodes[code] ?? `RCODE ${code}`,
    authoritative: packet.flag_aa,
    authentic: packet.flag_ad,
    answers: shown(packet.answers),
    authorities: shown(packet.authorities),
    additionals: shown(packet.additionals),
    sets: question.signed ? recordSetsOf(readWireAnswers(bytes) ?? []) : [],
  };
}

const shown = (records: readonly PacketRecord[] = []): ShownRecord[] =>
  records.map(shownRecord).filter((record) => record !== undefined);
