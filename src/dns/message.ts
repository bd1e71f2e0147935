/**
 * The asking side's messages: a question to bytes, bytes to an Answer. Knows no sockets, no time and no trust: that the
 * bytes came from the right server is for the stub to see to, and whether its AD bit is worth anything too.
 * RFC 1035 §4 (messages), RFC 2308 (negative answers), RFC 6891 (EDNS), RFC 6840 §5.7 (AD in queries).
 */

import type { DecodedPacket, OptAnswer, Packet, Answer as PacketRecord, StringAnswer } from 'dns-packet';
import { AUTHENTIC_DATA, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { isMaze } from './compression.ts';
import { formatIpv6, parseIpv6 } from './ip.ts';
import { canonicalName, isAskableName, isHarmlessName } from './name.ts';
import type { Answer, RecordType, RecordTypes } from './resolver.ts';

export interface Question<T extends RecordType = RecordType> {
  /** Canonical: lower-case, without the final dot. */
  name: string;
  type: T;
}

/** What arrived, read as the reply to a question. */
export type Reading<T extends RecordType> =
  | Answer<RecordTypes[T]>
  /** Cut to fit into a datagram: to be asked again over TCP. */
  | 'truncated'
  /** Not the reply to this question: another id, another name, no reply at all. */
  | 'foreign';

/** Crosses every network in one piece (DNS flag day 2020): larger answers come by TCP. */
export const udpPayloadBytes = 1232;

/** A longer chain of CNAMEs is a mistake or a trap. */
export const maxAliases = 8;

/** Records of all sections; more than mail needs, and it bounds the work that compressed names can cause. */
export const maxRecords = 512;

/** RFC 2308 §5: one to three hours are sensible for "there is no such thing", whatever the zone says. */
export const maxNegativeTtl = 3 * 3600;

const headerBytes = 12;
const nxDomain = 3;
const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

type Failed = Extract<Answer<never>, { status: 'failed' }>;

/** "Not known now", with the reason for people. */
export function failed(detail: string): Failed {
  return { status: 'failed', detail };
}

/**
 * A recursive query. AD asks for the AD bit in the reply without DO, which would bring all signatures along for nothing:
 * we do not validate (RFC 6840 §5.7).
 * @returns undefined when no message can hold the name: then it does not exist.
 */
export function encodeQuery(id: number, { name, type }: Question): Buffer | undefined {
  if (!isAskableName(name)) return undefined;
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name, type }],
    additionals: [edns],
  });
}

/** The OPT record of RFC 6891 §6.1: version 0, no options, DO not set. */
export const edns: OptAnswer = {
  name: '.',
  type: 'OPT',
  udpPayloadSize: udpPayloadBytes,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** Reads a message as the reply to `question`, sent with `id`. Never throws, whatever the bytes. */
export function decodeResponse<T extends RecordType>(
  bytes: Buffer,
  id: number,
  question: Question<T>,
): Reading<T> {
  const isReply = bytes.length >= headerBytes && bytes.readUInt16BE(0) === id && bytes.readInt8(2) < 0;
  if (!isReply) return 'foreign';
  const packet = parseMessage(bytes);
  if (packet === undefined) return failed('a malformed reply');
  if (!repeats(packet, question)) return 'foreign';
  return packet.flag_tc ? 'truncated' : answerOf(packet, question);
}

/** dns-packet throws at what it cannot read, and reads beyond the end: only an exact fit is a message. */
export function parseMessage(bytes: Buffer): DecodedPacket | undefined {
  if (bytes.length < headerBytes || recordCount(bytes) > maxRecords || isMaze(bytes)) return undefined;
  try {
    const packet = decode(bytes);
    return decode.bytes === bytes.length ? packet : undefined;
  } catch {
    return undefined;
  }
}

function recordCount(bytes: Buffer): number {
  return [4, 6, 8, 10].reduce((sum, offset) => sum + bytes.readUInt16BE(offset), 0);
}

/** The four bits that say how it went (RFC 1035 §4.1.1). */
function rcodeOf(packet: Packet): number {
  return (packet.flags ?? 0) & 0x0f;
}

/** Whether the reply names our question (RFC 5452 §9.1); some leave it out when they refuse it. */
function repeats(packet: Packet, { name, type }: Question): boolean {
  const [question, ...others] = packet.questions ?? [];
  if (question === undefined) return rcodeOf(packet) !== 0;
  return others.length === 0 && question.type === type && canonicalName(question.name) === name;
}

function answerOf<T extends RecordType>(
  packet: DecodedPacket,
  { name, type }: Question<T>,
): Answer<RecordTypes[T]> {
  const rcode = rcodeOf(packet);
  if (rcode !== 0 && rcode !== nxDomain) return failed(rcodeNames[rcode] ?? `RCODE ${rcode}`);
  const found = followAliases(packet.answers ?? [], name, type);
  if (found === undefined) return failed(`more than ${maxAliases} aliases (CNAME) in a row`);
  const authentic = packet.flag_ad;
  // Not 'none': what is no answer to the question does not say that there is no such record either.
  if (found.strayed) return failed('an answer with records of other names only');
  if (rcode === nxDomain || found.records.length === 0) {
    const ttl = Math.min(found.aliasTtl, negativeTtl(packet));
    return { status: 'none', reason: rcode === nxDomain ? 'nxdomain' : 'nodata', ttl, authentic };
  }
  const records = found.records.map(readData).filter((data) => data !== undefined);
  // Not 'none': unusable MX records must not lead to the implicit MX (RFC 5321 §5.1).
  if (records.length === 0) return failed('only records with names that no host can have');
  const ttl = Math.min(found.aliasTtl, ...found.records.map(ttlOf));
  // followAliases() kept records of this type only, and readData() gives each its type's shape.
  const answer = { status: 'found', records: records as RecordTypes[T][], ttl, authentic } as const;
  return found.owner === name ? answer : { ...answer, canonicalName: found.owner };
}

interface Found {
  records: PacketRecord[];
  /** Whose records they are. */
  owner: string;
  /** The shortest TTL on the way there, in seconds. */
  aliasTtl: number;
  /** There are records, and none of them is of the name. */
  strayed: boolean;
}

/** The records of `type` at `name` or at what it is an alias of (RFC 1034 §3.6.2); undefined when that never ends. */
function followAliases(answers: readonly PacketRecord[], name: string, type: RecordType): Found | undefined {
  const strayed = answers.length > 0 && !answers.some((record) => canonicalName(record.name) === name);
  let owner = name;
  let aliasTtl = Number.MAX_SAFE_INTEGER;
  for (let aliases = 0; aliases <= maxAliases; aliases += 1) {
    const own = answers.filter((record) => canonicalName(record.name) === owner);
    const records = own.filter((record) => record.type === type);
    const alias = own.find(isAlias);
    if (records.length > 0 || alias === undefined) return { records, owner, aliasTtl, strayed };
    aliasTtl = Math.min(aliasTtl, ttlOf(alias));
    owner = canonicalName(alias.data);
  }
  return undefined;
}

function isAlias(record: PacketRecord): record is StringAnswer {
  return record.type === 'CNAME';
}

/** Seconds; a TTL with the top bit set counts as 0 (RFC 2181 §8). */
function ttlOf(record: PacketRecord): number {
  const ttl = record.type === 'OPT' ? 0 : (record.ttl ?? 0);
  return ttl < 2 ** 31 ? ttl : 0;
}

/** RFC 2308 §5: the lesser of the SOA's own TTL and its minimum; without a SOA nothing is to be kept. */
function negativeTtl(packet: Packet): number {
  const soa = packet.authorities?.find((record) => record.type === 'SOA');
  return soa === undefined ? 0 : Math.min(ttlOf(soa), soa.data.minimum ?? 0, maxNegativeTtl);
}

/** A record's data in our shape; undefined when it holds a name that is not to be passed on. */
function readData(record: PacketRecord): RecordTypes[RecordType] | undefined {
  switch (record.type) {
    case 'A':
      return record.data;
    case 'AAAA':
      return canonicalIpv6(record.data);
    case 'MX':
      return readMx(record.data.preference ?? 0, canonicalName(record.data.exchange));
    case 'TXT':
      return [record.data].flat().map(octetsAsText);
    case 'CNAME':
    case 'PTR':
      return readName(canonicalName(record.data));
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = record.data;
      // A copy: the slice would keep the whole message in memory for as long as the answer is cached.
      return { usage, selector, matchingType, data: Buffer.from(certificate) };
    }
    default:
      return undefined;
  }
}

function canonicalIpv6(text: string): string | undefined {
  const groups = parseIpv6(text);
  return groups === undefined ? undefined : formatIpv6(groups);
}

function readName(name: string): string | undefined {
  return isHarmlessName(name) ? name : undefined;
}

/** '' is the null MX (RFC 7505). */
function readMx(preference: number, exchange: string): RecordTypes['MX'] | undefined {
  return exchange === '' || isHarmlessName(exchange) ? { preference, exchange } : undefined;
}

/**
 * One character per octet, as node:dns does it: nothing is lost, and a UTF-8 character (RFC 8616) that lies across two
 * character-strings can still be read after they are joined.
 */
function octetsAsText(octets: Buffer | string): string {
  return typeof octets === 'string' ? octets : octets.toString('latin1');
}
