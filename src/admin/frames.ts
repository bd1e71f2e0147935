/**
 * What goes over the control socket, in both directions: a line of JSON, and after it, where the line says
 * `"contentBytes": n`, so many octets as they are. Sans-IO; knows no request.
 */

export interface Frame {
  value: Record<string, unknown>;
  content?: Buffer;
}

export interface FrameLimits {
  lineBytes: number;
  contentBytes: number;
}

/** The other side does not keep to the protocol; the connection cannot go on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const lineFeed = 0x0a;

export function encodeFrame({ value, content }: Frame): Buffer {
  const line = JSON.stringify(content === undefined ? value : { ...value, contentBytes: content.length });
  const head = Buffer.from(`${line}\n`);
  return content === undefined ? head : Buffer.concat([head, content]);
}

/** Frames from the chunks of a connection. Throws a FrameError where they break the rules or end in the middle. */
export async function* readFrames(chunks: AsyncIterable<Buffer>, limits: FrameLimits): AsyncGenerator<Frame> {
  const input = new Input(chunks);
  for (;;) {
    const line = await input.takeLine(limits.lineBytes);
    if (line === undefined) return;
    const { contentBytes, ...value } = parseLine(line);
    if (contentBytes === undefined) yield { value };
    else yield { value, content: await input.take(checkLength(contentBytes, limits.contentBytes)) };
  }
}

function parseLine(line: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch (error) {
    throw new FrameError('a line is not JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FrameError('a line is no JSON object');
  return { ...value };
}

function checkLength(length: unknown, most: number): number {
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0)
    throw new FrameError('contentBytes is no length');
  if (length > most) throw new FrameError(`${length} octets of content are over the limit of ${most}`);
  return length;
}

/** Chunks of any size, taken by line or by length; joined once, not at every chunk. */
class Input {
  readonly #chunks: AsyncIterator<Buffer>;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Without its line feed; undefined at the end. */
  async takeLine(most: number): Promise<Buffer | undefined> {
    let searched = 0;
    for (let index = 0; ; index++) {
      const part = this.#parts[index] ?? (await this.#more());
      if (part === undefined) return this.#endOfLines();
      const end = part.indexOf(lineFeed);
      if (end >= 0) return this.#cut(searched + end + 1).subarray(0, -1);
      searched += part.length;
      if (searched > most) throw new FrameError(`a line is longer than ${most} octets`);
    }
  }

  async take(length: number): Promise<Buffer> {
    while (this.#length < length) {
      if ((await this.#more()) === undefined)
        throw new FrameError('the connection ended in the middle of content');
    }
    return this.#cut(length);
  }

  #endOfLines(): undefined {
    if (this.#length > 0) throw new FrameError('the connection ended in the middle of a line');
    return undefined;
  }

  async #more(): Promise<Buffer | undefined> {
    const { done, value } = await this.#chunks.next();
    if (done) return undefined;
    this.#parts.push(value);
    this.#length += value.length;
    return value;
  }

  #cut(length: number): Buffer {
    const all = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts);
    const rest = all.subarray(length);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return all.subarray(0, length);
  }
}
