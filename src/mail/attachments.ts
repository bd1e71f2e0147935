/**
 * What a message has attached, by name and by type: the names that its parts give themselves, those within zip archives
 * (zip-names.ts) and within messages that are attached. Never what is in them. Bounded, whatever the octets; hostile ones are read as
 * loosely as any mail reader would.
 */

import { endingsOf, namesOf } from './attachment-names.ts';
import { decodeBody } from './decode-body.ts';
import { type Part, partsOf } from './parts.ts';
import { namesInUuencode } from './uuencode-names.ts';
import { namesInZip, type ZipNames } from './zip-names.ts';

export interface Attachments {
  /** As they would be shown; those in an archive behind its name and a slash. The first ones. */
  names: string[];
  /** What the names end in, lower-case, each once; of all that were found. */
  extensions: string[];
  /** Content types of all parts but multiparts, lower-case, each once. */
  types: string[];
  /** What was not looked at, in words. */
  cut?: string;
}

export interface AttachmentLimits {
  parts: number;
  depth: number;
  /** Octets of encoded archives of one message whose directories are read, and of texts and messages that are decoded. */
  archiveBytes: number;
}

export const defaultAttachmentLimits: AttachmentLimits = {
  parts: 1000,
  depth: 20,
  archiveBytes: 8 * 2 ** 20,
};

/** Names and types that are kept. */
const maxNames = 50;
const maxKinds = 200;
/** Characters of one name. */
const maxName = 200;

export function attachmentsOf(message: Buffer, limits: Partial<AttachmentLimits> = {}): Attachments {
  const { archiveBytes, ...walk } = { ...defaultAttachmentLimits, ...limits };
  const { entities, cut } = partsOf(message, { ...walk, decodedBytes: archiveBytes, allReadings: true });
  const found = new Found(archiveBytes, message.length);
  for (const part of entities) found.add(part);
  const left = cut ?? found.cut;
  return {
    names: found.names.slice(0, maxNames),
    extensions: [...found.extensions],
    types: [...found.types],
    ...(left !== undefined && { cut: left }),
  };
}

class Found {
  readonly names: string[] = [];
  readonly extensions = new Set<string>();
  readonly types = new Set<string>();
  cut: string | undefined;
  #archiveBytesLeft: number;
  /** A text that is read in several ways lies in several parts. */
  #plainBytesLeft: number;

  constructor(archiveBytes: number, messageBytes: number) {
    this.#archiveBytesLeft = archiveBytes;
    this.#plainBytesLeft = 2 * (messageBytes + archiveBytes);
  }

  add(part: Part): void {
    const types = part.types.filter(({ type }) => type !== 'multipart');
    if (types.length < part.types.length && types.length === 0) return;
    for (const { type, subtype } of types) this.#keep(this.types, `${type}/${subtype}`);
    const names = namesOf(part);
    for (const name of names) this.#note(name);
    if (names.some((name) => endingsOf(name).includes('zip')) || types.some(isZip))
      this.#open(part, names[0]);
    else if (types.length === 0 || types.some(({ type }) => type === 'text')) this.#searchText(part);
  }

  #note(name: string): void {
    if (this.names.length < maxNames) this.names.push(name.slice(0, maxName));
    for (const ending of endingsOf(name)) this.#keep(this.extensions, ending);
  }

  /** Whoever hides one kind behind hundreds of others is at least told of. */
  #keep(kinds: Set<string>, kind: string): void {
    if (kinds.size < maxKinds) kinds.add(kind);
    else if (!kinds.has(kind)) this.cut ??= `more than ${maxKinds} kinds of attachments`;
  }

  #open(part: Part, archive = 'archive.zip'): void {
    if (!this.#mayDecode(part)) {
      this.cut ??= 'a zip archive that is too large to be opened';
      return;
    }
    const decoded = decodedBody(part);
    const { names, cut } = decoded ? namesInZip(decoded) : unreadable;
    this.cut ??= cut;
    for (const name of names) this.#note(`${archive}/${name}`);
  }

  /** Before there was MIME, files stood in the text, and many readers still find them there. */
  #searchText(part: Part): void {
    const { start, end } = part.body;
    const isPlain = part.encoding === '7bit' || part.encoding === '8bit';
    if (isPlain) this.#plainBytesLeft -= end - start;
    if (isPlain ? this.#plainBytesLeft < 0 : !this.#mayDecode(part)) {
      this.cut ??= 'a text that is too large to be looked through';
      return;
    }
    const { names, isCut } = namesInUuencode(decodedBody(part) ?? Buffer.alloc(0));
    for (const name of names) this.#note(name);
    if (isCut) this.cut ??= 'a text with too many files in it';
  }

  #mayDecode({ body }: Part): boolean {
    const length = body.end - body.start;
    if (length > this.#archiveBytesLeft) return false;
    this.#archiveBytesLeft -= length;
    return true;
  }
}

const decodedBody = ({ bytes, body, encoding }: Part): Buffer | undefined =>
  decodeBody(bytes.subarray(body.start, body.end), encoding);

const unreadable: ZipNames = { names: [], cut: 'a zip archive in an encoding that cannot be read' };

const isZip = ({ type, subtype }: Part['types'][number]): boolean =>
  type === 'application' && /^(?:x-)?zip(?:-compressed)?$/.test(subtype);
