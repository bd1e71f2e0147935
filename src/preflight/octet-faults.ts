/** What is wrong with the octets of a message, whatever they mean (RFC 5322 §2.1, §2.3). */

import { maxLineOctets } from '../mail/submission-rules.ts';
import { type Finding, rfc } from './finding.ts';

const lf = 0x0a;

/** `octets` as they were given; `body` with CRLF line ends. */
export function octetFaults(octets: Buffer, body: Buffer): Finding[] {
  const found: Finding[] = [];
  const nul = octets.indexOf(0);
  if (nul >= 0)
    found.push({
      ...{ id: 'octet-nul', about: 'message', severity: 'error', fact: `Octet ${nul + 1} is NUL.` },
      rule: rfc('5322 §2.3, RFC 2045 §2.7', 'a message has no NUL'),
      remedy: 'Encode binary content in base64.',
    });
  const line = longLine(body);
  if (line !== undefined)
    found.push({
      ...{ id: 'line-length', about: 'message', severity: 'error' },
      fact: `Line ${line.number} of the body has ${line.octets} octets.`,
      rule: rfc('5322 §2.1.1', 'a line has at most 998 octets; submission refuses longer ones'),
      remedy: 'Encode that part as quoted-printable or base64.',
    });
  return found;
}

/** The first that is too long. */
function longLine(body: Buffer): { number: number; octets: number } | undefined {
  let number = 1;
  for (let start = 0; start < body.length; number += 1) {
    const at = body.indexOf(lf, start);
    const end = at < 0 ? body.length : at;
    const octets = end - start - (at < 0 ? 0 : 1); // without its CR
    if (octets > maxLineOctets) return { number, octets };
    start = end + 1;
  }
  return undefined;
}
