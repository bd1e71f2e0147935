/**
 * The parts of a message, in order, those of multiparts within multiparts too (RFC 2046 §5.1). Messages within the
 * message are parts like any other, gone into only for who asks for that. Bounded by named limits, whatever the octets.
 */

import { type ContentType, parseContentType } from './content-type.ts';
import { decodeBody } from './decode-body.ts';
import { type Entity, readEntity } from './entity.ts';
import { fieldValue, findFields } from './header.ts';
import { findParts } from './multipart.ts';

export interface PartLimits {
  /** Multiparts among them. */
  parts: number;
  /** Multiparts and messages within one another. */
  depth: number;
  /** Octets of one header section, the message's or a part's. */
  headerBytes: number;
  /** Octets of encoded messages within the message that are decoded. */
  decodedBytes: number;
}

export const defaultPartLimits: PartLimits = {
  parts: 1000,
  depth: 20,
  headerBytes: 1024 * 1024,
  decodedBytes: 8 * 1024 * 1024,
};

export interface PartOptions extends Partial<PartLimits> {
  /**
   * Every part that any mail reader might show: those of messages within the message, and of each Content-Type and boundary where
   * there are several. Some may be found twice then. Default: only what the grammar has.
   */
  allReadings?: boolean;
}

/** RFC 2046 §5.1.1 allows 70; a longer one is let pass, but every line is compared with it. */
const maxBoundaryLength = 250;

/** A part, and the octets in which its offsets are: those of the message, or of an encoded one within it. */
export interface Part extends Entity {
  bytes: Buffer;
  /** Its type, and the others where its header has several and all readings are asked for. */
  types: readonly ContentType[];
}

export interface Parts {
  /** The message itself is the first; a multipart stands before what it is made of. */
  entities: Part[];
  /** What was left out, in words: `more than 1000 parts`. */
  cut?: string;
}

/** Line ends are CRLF or LF. Never fails. */
export function partsOf(message: Buffer, { allReadings = false, ...limits }: PartOptions = {}): Parts {
  const walk = new Walk(message.length, { ...defaultPartLimits, ...limits }, allReadings);
  walk.enter({ bytes: message, span: { start: 0, end: message.length } }, 0, 'text/plain');
  return { entities: walk.entities, ...(walk.cut !== undefined && { cut: walk.cut }) };
}

/** Of one part; more are nothing but a riddle. */
const maxReadings = 4;

class Walk {
  readonly entities: Part[] = [];
  cut: string | undefined;
  readonly #limits: PartLimits;
  readonly #allReadings: boolean;
  #decodedBytesLeft: number;
  /** Whatever can be read in one way alone is searched once for each level. */
  #searchedBytesLeft: number;

  constructor(messageBytes: number, limits: PartLimits, allReadings: boolean) {
    this.#limits = limits;
    this.#allReadings = allReadings;
    this.#decodedBytesLeft = limits.decodedBytes;
    this.#searchedBytesLeft = 2 * (limits.depth + 1) * messageBytes;
  }

  enter({ bytes, span }: Pick<Part, 'bytes' | 'span'>, depth: number, defaultType: string): void {
    const { parts, headerBytes } = this.#limits;
    if (this.entities.length >= parts) return this.#cutAt(`more than ${parts} parts`);
    const entity = readEntity(bytes, span, defaultType);
    const types = this.#allReadings ? typesOf(entity) : entity.type ? [entity.type] : [];
    const part: Part = { ...entity, bytes, types };
    if (part.body.start - span.start > headerBytes)
      return this.#cutAt(`a header of more than ${headerBytes} octets`);
    this.entities.push(part);
    for (const type of types) if (type.type === 'multipart') this.#multipart(part, type, depth + 1);
    if (this.#allReadings && types.some(({ type }) => type === 'message')) this.#message(part, depth + 1);
  }

  #multipart(part: Part, { subtype, parameters }: NonNullable<Part['type']>, depth: number): void {
    const named = this.#allReadings ? boundariesOf(part) : [parameters.get('boundary') ?? ''];
    const boundaries = named.filter((each) => each !== '' && each.length <= maxBoundaryLength);
    if (boundaries.length === 0) return;
    if (depth > this.#limits.depth) return this.#cutAt(`parts more than ${this.#limits.depth} deep`);
    if (boundaries.length > maxReadings) this.#cutAt(`more than ${maxReadings} boundaries of one part`);
    for (const boundary of boundaries.slice(0, maxReadings)) {
      this.#searchedBytesLeft -= part.body.end - part.body.start;
      if (this.#searchedBytesLeft < 0) return this.#cutAt('parts that can be read in too many ways');
      // One more than there is room for, so that it is known.
      const room = this.#limits.parts - this.entities.length + 1;
      for (const span of findParts(part.bytes, part.body, boundary, room) ?? [])
        this.enter({ ...part, span }, depth, subtype === 'digest' ? 'message/rfc822' : 'text/plain');
    }
  }

  /** RFC 2046 §5.2.1; RFC 6532 §3.7 lets it be encoded, and readers decode it whatever its type. */
  #message(part: Part, depth: number): void {
    const { bytes, body, encoding, types } = part;
    const is = (subtypes: ReadonlySet<string>) =>
      types.some((each) => each.type === 'message' && subtypes.has(each.subtype));
    if (is(pieces)) this.#cutAt('a piece of a message');
    if (!is(wholeMessages)) return;
    if (depth > this.#limits.depth) return this.#cutAt(`parts more than ${this.#limits.depth} deep`);
    if (identities.has(encoding)) return this.enter({ bytes, span: body }, depth, 'text/plain');
    this.#decodedBytesLeft -= body.end - body.start;
    if (this.#decodedBytesLeft < 0)
      return this.#cutAt('an encoded message that is too large to be looked into');
    const decoded = decodeBody(bytes.subarray(body.start, body.end), encoding);
    if (decoded === undefined) return this.#cutAt('a message in an encoding that cannot be read');
    this.enter({ bytes: decoded, span: { start: 0, end: decoded.length } }, depth, 'text/plain');
  }

  #cutAt(what: string): void {
    this.cut ??= what;
  }
}

const wholeMessages: ReadonlySet<string> = new Set(['rfc822', 'global', 'news']);
const pieces: ReadonlySet<string> = new Set(['partial']);
const identities: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

const contentTypes = ({ header }: Entity): string[] =>
  findFields(header.fields, 'content-type').map(fieldValue);

function typesOf(entity: Entity): ContentType[] {
  const values = contentTypes(entity);
  const types = values.length < 2 ? [entity.type] : values.slice(0, maxReadings).map(parseContentType);
  return types.filter((type) => type !== undefined);
}

/** Characters of a field in which boundaries are looked for. */
const maxField = 8 * 1024;
const boundaryPattern = /[;\s]boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/giu;

function boundariesOf(part: Part): string[] {
  const found = contentTypes(part).flatMap((value) =>
    [...value.slice(0, maxField).matchAll(boundaryPattern)].map(
      ([, quoted, plain = '']) => quoted?.replace(/\\(.)/gsu, '$1') ?? plain,
    ),
  );
  const own = part.type?.parameters.get('boundary');
  return [...new Set(own === undefined ? found : [own, ...found])];
}
