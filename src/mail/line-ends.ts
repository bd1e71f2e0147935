/** Line ends of messages that begin here: composed, or read from a file (RFC 5322 §2.3). Mail that arrives never passes. */

/** The octets with CRLF for every CRLF, CR and LF; their charset, if it is a superset of ASCII, does not matter. */
export function withCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}
