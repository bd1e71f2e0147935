/**
 * The answering side's messages: a query's bytes to a reply's bytes, out of a zone. Knows no sockets.
 * RFC 1035 §4, RFC 2181 §9 (truncation), RFC 6891 §6 (EDNS; version 0 only, options ignored).
 */

import type { DecodedPacket, Packet } from 'dns-packet';
import {
  AUTHENTIC_DATA,
  AUTHORITATIVE_ANSWER,
  DNSSEC_OK,
  encode,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { edns, parseMessage, udpPayloadBytes } from './message.ts';
import { canonicalName, isAskableName } from './name.ts';
import type { Zone, ZoneReply } from './zone.ts';

const formErr = 1;
const servFail = 2;
const nxDomain = 3;
const notImp = 4;
const refused = 5;

/** What a client without EDNS can take by UDP (RFC 1035 §4.2.1). */
const classicUdpBytes = 512;

/** What two octets of length can announce (RFC 1035 §4.2.2). */
const maxTcpBytes = 65_535;

/**
 * The reply to whatever a client sent, or undefined where silence is right: replies are never replied to, or two
 * servers could keep each other busy for ever. Never throws, and no reply to garbage is longer than the garbage.
 */
export function respond(zone: Zone, query: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined {
  const isQuery = query.length >= 12 && query.readInt8(2) >= 0;
  if (!isQuery) return undefined;
  const packet = parseMessage(query);
  if (packet === undefined) return refusal(query, formErr);
  const rcode = reasonToRefuse(packet);
  if (rcode !== undefined) return refusal(query, rcode);
  const reply = answerTo(packet, zone);
  const full = encode(reply);
  if (full.length <= maxReplyBytes(packet, transport)) return full;
  return encode({ ...reply, flags: (reply.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

/** A bare header: the query's id, opcode and RD, and the reason. */
function refusal(query: Buffer, rcode: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt8(0x80 | (query.readUInt8(2) & 0x79), 2);
  header.writeUInt8(rcode, 3);
  return header;
}

function reasonToRefuse(query: DecodedPacket): number | undefined {
  const opcode = ((query.flags ?? 0) >> 11) & 0x0f;
  if (opcode !== 0) return notImp;
  const [question, ...others] = query.questions ?? [];
  if (question === undefined || others.length > 0) return formErr;
  const name = canonicalName(question.name);
  if (name !== '' && !isAskableName(name)) return formErr;
  return question.class === 'IN' ? undefined : refused;
}

function answerTo(query: DecodedPacket, zone: Zone): Packet {
  const [question] = query.questions ?? [];
  const found = zone.answer(canonicalName(question?.name ?? ''), question?.type ?? '');
  const { answers, authority, authentic, isForeign, glue = [] } = found;
  const rcode = rcodeOf(found, query.flag_cd);
  const isSigned = ((ednsOf(query)?.flags ?? 0) & DNSSEC_OK) !== 0;
  // A server that fails or refuses says no more than that.
  const says = rcode === 0 || rcode === nxDomain;
  return {
    type: 'response',
    id: query.id,
    flags:
      (isForeign || !says ? 0 : AUTHORITATIVE_ANSWER) |
      (query.flag_rd ? RECURSION_DESIRED : 0) |
      (authentic ? AUTHENTIC_DATA : 0) |
      rcode,
    // As it was written: some clients mix the case and look whether it comes back.
    questions: query.questions,
    answers: says ? [...answers, ...(isSigned ? (found.signatures?.() ?? []) : [])] : [],
    authorities: says ? [...authority] : [],
    additionals: [...(says ? glue : []), ...(ednsOf(query) === undefined ? [] : [edns])],
  };
}

/** What fails for its signatures is told to those who do not want them checked (CD: RFC 4035 §3.2.2). */
function rcodeOf({ exists, fails, refuses, isBogus }: ZoneReply, isUnchecked: boolean): number {
  if (fails || (isBogus && !isUnchecked)) return servFail;
  if (refuses) return refused;
  return exists ? 0 : nxDomain;
}

function ednsOf(query: Packet) {
  return query.additionals?.find((record) => record.type === 'OPT');
}

function maxReplyBytes(query: Packet, transport: 'udp' | 'tcp'): number {
  if (transport === 'tcp') return maxTcpBytes;
  const announced = ednsOf(query)?.udpPayloadSize ?? classicUdpBytes;
  return Math.min(Math.max(announced, classicUdpBytes), udpPayloadBytes);
}
