/**
 * The parts of a message, in order, those of multiparts within multiparts too (RFC 2046 §5.1). Messages within the
 * message are parts like any other, and not gone into. Bounded by named limits, whatever the octets.
 */

import { type Entity, readEntity } from './entity.ts';
import { findParts } from './multipart.ts';

export interface PartLimits {
  /** Multiparts among them. */
  parts: number;
  /** Multiparts within one another. */
  depth: number;
  /** Octets of one header section, the message's or a part's. */
  headerBytes: number;
}

export const defaultPartLimits: PartLimits = { parts: 1000, depth: 20, headerBytes: 1024 * 1024 };

/** RFC 2046 §5.1.1 allows 70; a longer one is let pass, but every line is compared with it. */
const maxBoundaryLength = 250;

export interface Parts {
  /** The message itself is the first; a multipart stands before what it is made of. */
  entities: Entity[];
  /** What was left out, in words: `more than 1000 parts`. */
  cut?: string;
}

/** Line ends are CRLF or LF. Never fails. */
export function partsOf(message: Buffer, limits: Partial<PartLimits> = {}): Parts {
  const walk = new Walk(message, { ...defaultPartLimits, ...limits });
  walk.enter({ start: 0, end: message.length }, 0, 'text/plain');
  return { entities: walk.entities, ...(walk.cut !== undefined && { cut: walk.cut }) };
}

class Walk {
  readonly entities: Entity[] = [];
  cut: string | undefined;
  readonly #bytes: Buffer;
  readonly #limits: PartLimits;

  constructor(bytes: Buffer, limits: PartLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  enter(span: Entity['span'], depth: number, defaultType: string): void {
    const { parts, headerBytes } = this.#limits;
    if (this.entities.length >= parts) return this.#cutAt(`more than ${parts} parts`);
    const entity = readEntity(this.#bytes, span, defaultType);
    if (entity.body.start - span.start > headerBytes)
      return this.#cutAt(`a header of more than ${headerBytes} octets`);
    this.entities.push(entity);
    if (entity.type?.type === 'multipart') this.#multipart(entity, entity.type, depth + 1);
  }

  #multipart({ body }: Entity, { subtype, parameters }: NonNullable<Entity['type']>, depth: number): void {
    const boundary = parameters.get('boundary') ?? '';
    if (boundary === '' || boundary.length > maxBoundaryLength) return;
    if (depth > this.#limits.depth) return this.#cutAt(`parts more than ${this.#limits.depth} deep`);
    // One more than there is room for, so that it is known.
    const room = this.#limits.parts - this.entities.length + 1;
    const spans = findParts(this.#bytes, body, boundary, room) ?? [];
    for (const span of spans) this.enter(span, depth, subtype === 'digest' ? 'message/rfc822' : 'text/plain');
  }

  #cutAt(what: string): void {
    this.cut ??= what;
  }
}
