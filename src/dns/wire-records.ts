/**
 * The answer section of a message, record by record, in the form that signatures are made over: names whole and in lower case, data
 * as it is. For who checks signatures: other readers lose what they depend on. RFC 1035 §4.1.4, RFC 4034 §6.2, RFC 3597 §7.
 */

export interface WireRecord {
  /** Canonical text; octets that are no letters, digits or hyphens are in it as they are. */
  name: string;
  /** The name as it goes into a message, uncompressed. */
  owner: Buffer;
  type: number;
  /** Seconds. */
  ttl: number;
  data: Buffer;
}

const headerBytes = 12;
const pointerBits = 0xc0;
const longestName = 255;
const maxPointers = 16;

/** Types whose data holds names: what stands before them, and how many there are. RRSIG is one of them (RFC 6840 §5.1). */
const namesIn: ReadonlyMap<number, { before: number; names: number }> = new Map([
  [2, { before: 0, names: 1 }], // NS
  [5, { before: 0, names: 1 }], // CNAME
  [6, { before: 0, names: 2 }], // SOA
  [12, { before: 0, names: 1 }], // PTR
  [15, { before: 2, names: 1 }], // MX
  [33, { before: 6, names: 1 }], // SRV
  [46, { before: 18, names: 1 }], // RRSIG
]);

/** Undefined for what is no message. Never throws, whatever the bytes. */
export function readWireAnswers(message: Buffer): WireRecord[] | undefined {
  if (message.length < headerBytes) return undefined;
  let at = headerBytes;
  for (let count = message.readUInt16BE(4); count > 0; count -= 1) {
    const name = readName(message, at);
    if (name === undefined) return undefined;
    at = name.next + 4;
  }
  const records: WireRecord[] = [];
  for (let count = message.readUInt16BE(6); count > 0; count -= 1) {
    const read = readRecord(message, at);
    if (read === undefined) return undefined;
    records.push(read.record);
    at = read.next;
  }
  return records;
}

function readRecord(message: Buffer, at: number): { record: WireRecord; next: number } | undefined {
  const name = readName(message, at);
  if (name === undefined || name.next + 10 > message.length) return undefined;
  const type = message.readUInt16BE(name.next);
  const start = name.next + 10;
  const next = start + message.readUInt16BE(start - 2);
  if (next > message.length) return undefined;
  const data = readData(message, { type, start, next });
  if (data === undefined) return undefined;
  const ttl = message.readUInt32BE(name.next + 4);
  return { record: { name: name.text, owner: name.wire, type, ttl, data }, next };
}

function readData(
  message: Buffer,
  { type, start, next }: { type: number; start: number; next: number },
): Buffer | undefined {
  const { before = 0, names = 0 } = namesIn.get(type) ?? {};
  if (start + before > next) return undefined;
  const parts = [message.subarray(start, start + before)];
  let at = start + before;
  for (let count = names; count > 0; count -= 1) {
    const name = readName(message, at);
    if (name === undefined || name.next > next) return undefined;
    parts.push(name.wire);
    at = name.next;
  }
  return Buffer.concat([...parts, message.subarray(at, next)]);
}

interface Name {
  text: string;
  wire: Buffer;
  /** Where the message goes on. */
  next: number;
}

function readName(message: Buffer, start: number): Name | undefined {
  const labels: Buffer[] = [];
  let length = 1;
  let next: number | undefined;
  for (let at = start, pointers = 0; ; ) {
    const size = message[at];
    if (size === undefined) return undefined;
    if (size >= pointerBits) {
      const target = ((size & ~pointerBits) << 8) | (message[at + 1] ?? 0);
      next ??= at + 2;
      // Only ever backwards: then it has an end.
      if (target >= at || ++pointers > maxPointers) return undefined;
      at = target;
      continue;
    }
    if (size === 0) return nameOf(labels, next ?? at + 1);
    length += size + 1;
    const label = message.subarray(at + 1, at + 1 + size);
    if (size > 63 || length > longestName || label.length < size) return undefined;
    labels.push(lowerCase(label));
    at += size + 1;
  }
}

function nameOf(labels: readonly Buffer[], next: number): Name {
  return {
    text: labels.map((label) => label.toString('latin1')).join('.'),
    wire: Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]),
    next,
  };
}

const lowerCase = (label: Buffer): Buffer =>
  Buffer.from(label.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet)));
