/** SASL (RFC 4422) without I/O: what both SMTP AUTH (RFC 4954) and POP3 AUTH (RFC 5034) step through, line by line. */

export interface Credentials {
  /** The identity to act as; '' where it is that of the user. */
  authorizationId: string;
  user: string;
  password: string;
}

export type SaslStep =
  /** Base64, for the client's eyes: sent after `334 ` or `+ `. */
  | { kind: 'challenge'; challenge: string }
  | { kind: 'credentials'; credentials: Credentials }
  /** The client cancelled (`*`) or the line is not what the mechanism allows; `text` says which. */
  | { kind: 'error'; reason: 'cancelled' | 'malformed'; text: string };

export interface SaslExchange {
  /** Takes the client's next line in base64 (`=` is the empty initial response), or undefined where AUTH came without one. */
  step(line: string | undefined): SaslStep;
}
