/** Line ends of messages that we compose ourselves (RFC 5322 §2.3). Mail that exists is never passed through here. */

/** The octets with CRLF for every CRLF, CR and LF; their charset, if it is a superset of ASCII, does not matter. */
export function withCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}
