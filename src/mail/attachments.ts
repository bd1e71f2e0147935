/**
 * What a message has attached, by name and by type: the names that its parts give themselves, and those within zip archives
 * (zip-names.ts). Never what is in them. Bounded, whatever the octets; hostile names are read as loosely as any mail reader would.
 */

import { decodeBody } from './decode-body.ts';
import { decodeEncodedWords } from './encoded-words.ts';
import type { Entity } from './entity.ts';
import { fieldValue, findFields } from './header.ts';
import { partsOf } from './parts.ts';
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
  /** Octets of encoded archives of one message whose directories are read. */
  archiveBytes: number;
}

export const defaultAttachmentLimits: AttachmentLimits = {
  parts: 1000,
  depth: 10,
  archiveBytes: 8 * 2 ** 20,
};

/** Names and types that are kept. */
const maxNames = 50;
const maxKinds = 200;
/** Characters of one name, and of a field that is searched for names. */
const maxName = 200;
const maxField = 8 * 1024;

export function attachmentsOf(message: Buffer, limits: Partial<AttachmentLimits> = {}): Attachments {
  const { archiveBytes, ...walk } = { ...defaultAttachmentLimits, ...limits };
  const { entities, cut } = partsOf(message, walk);
  const found = new Found(archiveBytes);
  for (const entity of entities) found.add(message, entity);
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

  constructor(archiveBytes: number) {
    this.#archiveBytesLeft = archiveBytes;
  }

  add(message: Buffer, entity: Entity): void {
    const { type } = entity;
    if (type?.type === 'multipart') return;
    if (type !== undefined) this.#keep(this.types, `${type.type}/${type.subtype}`);
    const names = namesOf(entity);
    for (const name of names) this.#note(name);
    if (names.some((name) => extensionOf(name) === 'zip') || isZip(type))
      this.#open(message, entity, names[0]);
  }

  #note(name: string): void {
    if (this.names.length < maxNames) this.names.push(name.slice(0, maxName));
    const extension = extensionOf(name);
    if (extension !== '') this.#keep(this.extensions, extension);
  }

  /** Whoever hides one kind behind hundreds of others is at least told of. */
  #keep(kinds: Set<string>, kind: string): void {
    if (kinds.size < maxKinds) kinds.add(kind);
    else if (!kinds.has(kind)) this.cut ??= `more than ${maxKinds} kinds of attachments`;
  }

  #open(message: Buffer, { body, encoding }: Entity, archive = 'archive.zip'): void {
    const length = body.end - body.start;
    if (length > this.#archiveBytesLeft) {
      this.cut ??= 'a zip archive that is too large to be opened';
      return;
    }
    this.#archiveBytesLeft -= length;
    const decoded = decodeBody(message.subarray(body.start, body.end), encoding);
    const { names, cut } = decoded ? namesInZip(decoded) : unreadable;
    this.cut ??= cut;
    for (const name of names) this.#note(`${archive}/${name}`);
  }
}

const unreadable: ZipNames = { names: [], cut: 'a zip archive in an encoding that cannot be read' };

const isZip = (type: Entity['type']): boolean =>
  type?.type === 'application' && /^(?:x-)?zip(?:-compressed)?$/.test(type.subtype);

const passedOver = /^[\s.\p{C}]$/u;

/** Without what Windows passes over at the end of a name. */
export function extensionOf(name: string): string {
  const characters = [...name];
  // By hand: a pattern for the end of a text is tried at each of its characters.
  while (passedOver.test(characters.at(-1) ?? '')) characters.pop();
  const plain = characters.join('').toLowerCase();
  const dot = plain.lastIndexOf('.');
  const extension = dot < 0 ? '' : plain.slice(dot + 1);
  return extension.length <= 20 && /^[^\s/\\]+$/.test(extension) ? extension : '';
}

/** Every name that a part gives itself: readers differ in which one they show. */
function namesOf({ header }: Entity): string[] {
  const fields = ['content-disposition', 'content-type'].flatMap((name) => findFields(header.fields, name));
  const names = fields.flatMap((field) => namesIn(fieldValue(field).slice(0, maxField)));
  return [...new Set(names.filter((name) => name !== ''))];
}

/** `name=`, `filename*=`, `filename*0*=` …; unquoted values end at a semicolon only, as readers take them. */
const parameter =
  /(?:^|[;\s])((?:file)?name)(?:\*(\d{1,3}))?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;"]*))/giu;

function namesIn(value: string): string[] {
  const whole: string[] = [];
  /** In pieces (RFC 2231 §3), by the parameter's name. */
  const pieces = new Map<string, string[]>();
  for (const [, name = '', index, star, quoted, plain = ''] of value.matchAll(parameter)) {
    const text = (quoted?.replace(/\\(.)/gsu, '$1') ?? plain).trim();
    const decoded = star === undefined ? text : percentDecoded(text, index);
    if (index === undefined) {
      whole.push(star === undefined ? decodeEncodedWords(decoded) : decoded);
      // Some readers end an unquoted name at its first blank.
      if (quoted === undefined && /\s/.test(decoded)) whole.push(decoded.split(/\s/, 1)[0] ?? '');
    }
    if (index !== undefined)
      pieces.set(name.toLowerCase(), put(pieces.get(name.toLowerCase()) ?? [], Number(index), decoded));
  }
  return [...whole, ...[...pieces.values()].map((parts) => parts.join(''))];
}

const put = (parts: string[], index: number, part: string): string[] => {
  if (index < maxPieces) parts[index] = part;
  return parts;
};
const maxPieces = 100;

/** `charset'language'text` with percent-encoded octets (RFC 2231 §4); only the first piece names the charset. */
function percentDecoded(text: string, index: string | undefined): string {
  const coded = index === undefined || Number(index) === 0 ? text.replace(/^[^']*'[^']*'/, '') : text;
  const octets = Buffer.from(coded, 'utf8')
    .toString('latin1')
    .replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
}
