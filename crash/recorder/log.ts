/** Reads what log.c wrote: one record after another, in the order in which things happened. */

/** A file or directory, by its inode's number; a number may come again when the file is gone. */
export type Inode = number;

export type FileRecord =
  | { kind: 'create' | 'mkdir'; inode: Inode; path: string }
  | { kind: 'write'; inode: Inode; offset: number; octets: Buffer }
  | { kind: 'truncate'; inode: Inode; length: number }
  | { kind: 'rename' | 'link'; inode: Inode; from: string; to: string }
  | { kind: 'unlink' | 'rmdir'; inode: Inode; path: string }
  /** What was done to the file before `syncBegun` is durable after the `syncDone` of the same thread. */
  | { kind: 'syncBegun' | 'syncDone'; inode: Inode; thread: number };

export type WordsRecord =
  /** On a stream socket: `connection` is the socket, the ports are 0 for a local one. Long messages are cut. */
  | { kind: 'sent' | 'heard'; connection: number; port: number; peerPort: number; octets: Buffer }
  /** On standard output (1) or error (2). */
  | { kind: 'said'; descriptor: number; octets: Buffer };

export type LogRecord = (FileRecord | WordsRecord) & { process: number };

/** The order of `enum kind` in recorder.h. */
const kinds = [
  'create',
  'mkdir',
  'write',
  'truncate',
  'rename',
  'link',
  'unlink',
  'rmdir',
  'syncBegun',
  'syncDone',
  'sent',
  'heard',
  'said',
] as const;

const headerBytes = 48;

/** The records of a log. Throws where it is not whole. */
export function readRecords(log: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  for (let at = 0; at < log.length; ) {
    const { record, end } = readRecord(log, at);
    records.push(record);
    at = end;
  }
  return records;
}

function readRecord(log: Buffer, at: number): { record: LogRecord; end: number } {
  if (at + headerBytes > log.length) throw new Error(`The recorder's log ends within a record, at ${at}`);
  const u32 = (index: number) => log.readUInt32LE(at + 4 * index);
  const i64 = (index: number) => Number(log.readBigInt64LE(at + 24 + 8 * index));
  const pathAt = at + headerBytes;
  const secondAt = pathAt + u32(3);
  const octetsAt = secondAt + u32(4);
  const end = octetsAt + u32(5);
  if (end > log.length) throw new Error(`The recorder's log ends within a record, at ${at}`);
  const fields = {
    process: u32(1),
    thread: u32(2),
    path: log.toString('utf8', pathAt, secondAt),
    second: log.toString('utf8', secondAt, octetsAt),
    octets: log.subarray(octetsAt, end),
    object: i64(0),
    a: i64(1),
    b: i64(2),
  };
  return { record: { ...recordOf(kinds[u32(0) - 1], fields), process: fields.process }, end };
}

interface Fields {
  thread: number;
  path: string;
  second: string;
  octets: Buffer;
  object: number;
  a: number;
  b: number;
}

function recordOf(kind: (typeof kinds)[number] | undefined, fields: Fields): FileRecord | WordsRecord {
  const { thread, path, second, octets, object: inode, a, b } = fields;
  switch (kind) {
    case 'create':
    case 'mkdir':
    case 'unlink':
    case 'rmdir':
      return { kind, inode, path };
    case 'write':
      return { kind, inode, offset: a, octets };
    case 'truncate':
      return { kind, inode, length: a };
    case 'rename':
    case 'link':
      return { kind, inode, from: path, to: second };
    case 'syncBegun':
    case 'syncDone':
      return { kind, inode, thread };
    case 'sent':
    case 'heard':
      return { kind, connection: inode, port: a, peerPort: b, octets };
    case 'said':
      return { kind, descriptor: a, octets };
    default:
      throw new Error('The recorder wrote a record of a kind that is not known here');
  }
}

/** One line for people. */
export function describe(record: LogRecord, nameOf: (inode: Inode) => string): string {
  switch (record.kind) {
    case 'write':
      return `write ${nameOf(record.inode)}: ${record.octets.length} octets at ${record.offset}`;
    case 'truncate':
      return `truncate ${nameOf(record.inode)} to ${record.length}`;
    case 'rename':
    case 'link':
      return `${record.kind} ${record.from} to ${record.to}`;
    case 'create':
    case 'mkdir':
    case 'unlink':
    case 'rmdir':
      return `${record.kind} ${record.path}`;
    case 'syncBegun':
    case 'syncDone':
      return `${record.kind === 'syncBegun' ? 'sync begins' : 'sync has ended'}: ${nameOf(record.inode)}`;
    default:
      return `${record.kind} ${firstLine(record.octets)}`;
  }
}

const firstLine = (octets: Buffer): string => JSON.stringify(octets.toString('latin1', 0, 100));

const fileKinds: ReadonlySet<string> = new Set(kinds.slice(0, kinds.indexOf('sent')));

export const isFileRecord = (record: LogRecord): record is FileRecord & { process: number } =>
  fileKinds.has(record.kind);
