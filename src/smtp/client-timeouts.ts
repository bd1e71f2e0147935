/** How long the SMTP client waits for what (RFC 5321 §4.5.3.2). */

const minuteMs = 60_000;

/** All in milliseconds. */
export interface ClientTimeouts {
  connectMs: number;
  greetingMs: number;
  /** EHLO, HELO, STARTTLS and RSET, for which the RFC names no time. */
  helloMs: number;
  tlsMs: number;
  /** For each step of AUTH (RFC 4954 names no time). */
  authMs: number;
  mailMs: number;
  rcptMs: number;
  dataMs: number;
  /** For room to write the next piece of the message. */
  contentMs: number;
  /** For the reply to the final dot. Giving up too early sends the message twice (RFC 1047). */
  endOfDataMs: number;
  quitMs: number;
}

export const defaultTimeouts: ClientTimeouts = {
  connectMs: minuteMs / 2,
  greetingMs: 5 * minuteMs,
  helloMs: 5 * minuteMs,
  tlsMs: minuteMs,
  authMs: 3 * minuteMs,
  mailMs: 5 * minuteMs,
  rcptMs: 5 * minuteMs,
  dataMs: 2 * minuteMs,
  contentMs: 3 * minuteMs,
  endOfDataMs: 10 * minuteMs,
  quitMs: minuteMs / 12,
};
