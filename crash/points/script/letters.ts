/** The messages of the script: all that they are follows from a few words, so that every octet can be checked later. */

import { letter } from '../../../e2e/letters.ts';

export interface Letter {
  /** Unlike any other's; its Subject, by which it is known again. */
  token: string;
  from: string;
  to: readonly string[];
  bodyBytes: number;
}

/** The domain of the server under test. Everybody else lives at example.net. */
export const localDomain = 'example.com';

/** What becomes of mail to a recipient. */
export type Fate = 'mailbox' | 'remote' | 'bounce';

/** The local part says what the stranger's server does with it; see stranger.ts. */
export function fateOf(recipient: string): Fate {
  if (recipient.endsWith(`@${localDomain}`)) return 'mailbox';
  return recipient.startsWith('nobody') ? 'bounce' : 'remote';
}

/** CRLF line ends, with dots where they hurt. */
export function octetsOf({ token, from, to, bodyBytes }: Letter): Buffer {
  const lines = ['.', '..two dots', `This is ${token}.`];
  let length = 0;
  for (let number = 0; length < bodyBytes; number++) {
    const line = `${token} line ${number} ${'abcdefghij '.repeat(5)}`;
    lines.push(line);
    length += line.length + 2;
  }
  return letter({ from, to: to.join(', '), id: token, body: `${lines.join('\r\n')}\r\n` });
}

/** The token of the letter that these octets belong to, be they all of it or the part with the header. */
export function tokenIn(octets: Buffer | string): string | undefined {
  const text = typeof octets === 'string' ? octets : octets.toString('latin1', 0, headerReach);
  return /^Subject: (crash-[\w-]+)\r?$/m.exec(text)?.[1];
}

/** Our own header fields and the letter's end well before this. */
const headerReach = 8192;
