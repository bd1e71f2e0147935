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

/** Octets of a record before what it holds: type, version, length. */
const recordHeaderBytes = 5;
/** Of a handshake message: type, length. */
const messageHeaderBytes = 4;

/** Reads a hello as it comes, in however many pieces and records; each octet is looked at once. Never throws, whatever the bytes. */
export class HelloReader {
  readonly #header = Buffer.alloc(recordHeaderBytes);
  #headerBytes = 0;
  /** Octets of the record that are still to come. */
  #recordBytes = 0;
  readonly #message = Buffer.alloc(messageHeaderBytes + maxHelloBytes);
  #messageBytes = 0;
  #totalBytes = 0;

  /** `more` where it is not whole yet; undefined for what is none, or too long: nothing may be read after either. */
  read(piece: Buffer): ClientHello | 'more' | undefined {
    this.#totalBytes += piece.length;
    for (let at = 0; at < piece.length; ) {
      const taken = this.#recordBytes > 0 ? this.#readMessage(piece, at) : this.#readHeader(piece, at);
      if (taken === 0) return undefined;
      at += taken;
      const whole = this.#wholeBytes;
      if (whole === 'none') return undefined;
      if (whole !== undefined && this.#messageBytes >= whole)
        return helloIn(this.#message.subarray(messageHeaderBytes, whole));
    }
    // Records may hold an octet each.
    return this.#totalBytes > 2 * maxHelloBytes ? undefined : 'more';
  }

  /** How many octets of it were taken: none where it is no record of a handshake. */
  #readHeader(piece: Buffer, at: number): number {
    const taken = piece.copy(this.#header, this.#headerBytes, at);
    this.#headerBytes += taken;
    if (this.#header[0] !== handshakeRecord) return 0;
    if (this.#headerBytes < recordHeaderBytes) return taken;
    this.#headerBytes = 0;
    this.#recordBytes = this.#header.readUInt16BE(3);
    return this.#recordBytes === 0 || this.#recordBytes > maxHelloBytes ? 0 : taken;
  }

  #readMessage(piece: Buffer, at: number): number {
    const taken = piece.copy(this.#message, this.#messageBytes, at, at + this.#recordBytes);
    this.#recordBytes -= taken;
    this.#messageBytes += taken;
    return taken;
  }

  /** Octets of the message with its header, once that has come. */
  get #wholeBytes(): number | 'none' | undefined {
    if (this.#messageBytes < messageHeaderBytes) return undefined;
    if (this.#message[0] !== clientHello) return 'none';
    const sizeBytes = this.#message.readUIntBE(1, 3);
    return sizeBytes > maxHelloBytes - messageHeaderBytes ? 'none' : messageHeaderBytes + sizeBytes;
  }
}

function helloIn(message: Buffer): ClientHello | undefined {
  try {
    return readMessage(new Cursor(message));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
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
