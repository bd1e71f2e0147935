/** An SMTP reply (RFC 5321 §4.2) with its enhanced status code (RFC 3463), as a value, and as text. */

export interface Reply {
  /** 200–599. */
  code: number;
  /** Of LMTP's answers to a message, where they differ: one for each recipient that was accepted, in their order. */
  each?: readonly Reply[];
  /** Enhanced status code such as `5.7.1` (RFC 2034); absent on greetings, HELO/EHLO, 354 and 334. */
  enhanced?: string;
  /** One entry per line, without codes. Never empty, never with CR or LF. */
  lines: readonly string[];
}

/** Makes a reply from a code, an enhanced code ('' for none) and its lines of text. */
export function reply(code: number, enhanced: string, ...lines: string[]): Reply {
  return enhanced === '' ? { code, lines } : { code, enhanced, lines };
}

export const isPositive = ({ code }: Reply): boolean => code >= 200 && code < 400;
export const isPermanent = ({ code }: Reply): boolean => code >= 500;

/** The lines as they go over the wire, each without its CRLF: `550-5.1.1 first`, `550 5.1.1 last`. */
export function replyLines({ code, enhanced, lines }: Reply): string[] {
  const status = enhanced === undefined ? '' : `${enhanced} `;
  const last = lines.length - 1;
  return lines.map((line, index) => `${code}${index < last ? '-' : ' '}${status}${line}`);
}

/** The reply on one line, for logs, dossiers and DSN diagnostics: `550 5.1.1 first / last`. */
export function replyText({ code, enhanced, lines }: Reply): string {
  return `${code}${enhanced === undefined ? '' : ` ${enhanced}`} ${lines.join(' / ')}`;
}
