/**
 * The first message of a TLS client, as far as is needed before the handshake: the name it asks for and the protocols it offers
 * (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301). OpenSSL has the certificate chosen before it looks at the latter.
 */

export interface ClientHello {
  serverName?: string;
  protocols: readonly string[];
}

/** Octets of a hello; with keys that stand quantum computers it has two thousand. */
export const maxHelloBytes = 16_384;

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const alpnExtension = 16;

/** `more` where it is not whole yet; undefined for what is none, or too long. Never throws, whatever the bytes. */
export function readClientHello(bytes: Buffer): ClientHello | 'more' | undefined {
  const message = joinRecords(bytes);
  if (message === undefined || message === 'more') return message;
  try {
    return readMessage(new Cursor(message));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The handshake message from the records that it is cut into. */
function joinRecords(bytes: Buffer): Buffer | 'more' | undefined {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for (let at = 0; ; ) {
    if (bytes.length < at + 5) return bytes.length > 0 && bytes[0] !== handshakeRecord ? undefined : 'more';
    if (bytes[at] !== handshakeRecord) return undefined;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || at + length > maxHelloBytes) return undefined;
    if (bytes.length < at + 5 + length) return 'more';
    pieces.push(bytes.subarray(at + 5, at + 5 + length));
    sizeBytes += length;
    at += 5 + length;
    const message = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    if (sizeBytes < 4) continue;
    if (message[0] !== clientHello) return undefined;
    const whole = 4 + message.readUIntBE(1, 3);
    if (whole > maxHelloBytes) return undefined;
    if (sizeBytes >= whole) return message.subarray(4, whole);
  }
}

function readMessage(hello: Cursor): ClientHello {
  hello.take(2 + 32); // version and random
  hello.vector(1); // session
  hello.vector(2); // ciphers
  hello.vector(1); // compression
  const found: { serverName?: string; protocols: string[] } = { protocols: [] };
  if (hello.isAtEnd) return found;
  const extensions = hello.vector(2);
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type === alpnExtension) found.protocols = texts(content.vector(2));
    if (type === serverNameExtension && !content.isAtEnd) {
      const list = content.vector(2);
      if (list.number(1) === 0) found.serverName = list.vector(2).text().toLowerCase();
    }
  }
  return found;
}

function texts(list: Cursor): string[] {
  const all: string[] = [];
  while (!list.isAtEnd) all.push(list.vector(1).text());
  return all;
}

/** Reads from the front; RangeError where there is not enough. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('not so long');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(sizeBytes: number): number {
    return this.take(sizeBytes).readUIntBE(0, sizeBytes);
  }

  vector(sizeBytes: number): Cursor {
    return new Cursor(this.take(this.number(sizeBytes)));
  }

  text(): string {
    return this.#bytes.subarray(this.#at).toString('latin1');
  }
}
