/**
 * Why a TLS handshake came to nothing, as one of a few classes: for figures. The codes are Node's, made of OpenSSL's reasons, in
 * which alerts of the other side (RFC 8446 §6) have `ALERT` in their name.
 */

export type TlsFailureReason =
  /** It took too long. */
  | 'timeout'
  /** The other side closed the connection, or broke it off, and did not say why. */
  | 'closed'
  /** What came is not TLS: HTTP, or clear text. */
  | 'not_tls'
  /** No version in common. */
  | 'version'
  /** Nothing else in common: ciphers, groups, signatures. */
  | 'agreement'
  /** The client does not take our certificate, or the server wants one of us. */
  | 'certificate'
  | 'other';

/** The first that fits. */
const classes: readonly (readonly [TlsFailureReason, RegExp])[] = [
  ['timeout', /^ETIMEDOUT$/],
  ['closed', /^(ECONNRESET|EPIPE|ECONNABORTED)$|UNEXPECTED_EOF|CLOSE_NOTIFY/],
  [
    'not_tls',
    /HTTP_REQUEST|HTTPS_PROXY_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TYPE|RECORD_LENGTH/,
  ],
  ['version', /PROTOCOL|VERSION|INAPPROPRIATE_FALLBACK/],
  ['certificate', /UNKNOWN_CA|CERTIFICATE|UNRECOGNIZED_NAME|ACCESS_DENIED/],
  ['agreement', /SHARED|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|SUITABLE|CIPHER|DH_KEY|SIGNATURE/],
];

/** Of the error of a handshake, or of what it was caused by: the innermost that has a code. */
export function tlsFailureReason(error: unknown): TlsFailureReason {
  if (!(error instanceof Error)) return 'other';
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (code === undefined) return cause === undefined ? 'closed' : tlsFailureReason(cause);
  return classes.find(([, pattern]) => pattern.test(code))?.[0] ?? 'other';
}
