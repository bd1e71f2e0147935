/** The message as it would leave: with the fields that submission adds, without blind copies, signed with our keys. */

import { type Address, addressKey } from '../mail/address.ts';
import { authorDomain } from '../mail/author-domain.ts';
import { completeHeader } from '../mail/complete.ts';
import {
  fieldValue,
  findFields,
  findHeaderEnd,
  type Header,
  mailboxesOf,
  parseHeader,
} from '../mail/header.ts';
import { withCrlf } from '../mail/line-ends.ts';
import { type Signers, startSigning } from '../reception/signing.ts';

/** What is to be looked at, as somebody wrote it. */
export interface Draft {
  octets: Buffer;
  to: Address;
  /** The reverse-path; absent: the first mailbox of From. */
  from?: string;
}

export interface Letter {
  to: Address;
  reversePath: string;
  /** In A-labels; undefined where From does not tell. */
  authorDomain: string | undefined;
  /** As it was given, with CRLF line ends. */
  draft: { header: Header; octets: Buffer };
  /** What would go out. */
  sent: Buffer;
  /** Lower-case names of the fields that submission would add or take out. */
  added: readonly string[];
  removed: readonly string[];
  isSigned: boolean;
}

export interface LetterParts {
  signers: Signers;
  hostname: string;
  now: number;
}

export async function readLetter({ signers, hostname, now }: LetterParts, draft: Draft): Promise<Letter> {
  const octets = withCrlf(draft.octets);
  const end = findHeaderEnd(octets) ?? octets.length;
  const header = parseHeader(octets.subarray(0, end));
  const domain = authorDomain(header);
  const reversePath = draft.from ?? firstAuthor(header) ?? '';
  const messageId = `<preflight.${now}@${domain ?? hostname}>`;
  const completed = completeHeader(octets.subarray(0, end), { from: reversePath, date: now, messageId });
  const body = octets.subarray(end);
  const sentHeader = Buffer.concat([completed.prefix, completed.header]);
  const signing = startSigning(signers, domain);
  signing?.onBody(body);
  const signature = await signing?.sign(sentHeader);
  return {
    to: draft.to,
    reversePath,
    authorDomain: domain,
    draft: { header, octets },
    sent: Buffer.concat([Buffer.from(signature?.field ?? ''), sentHeader, body]),
    added: completed.added,
    removed: completed.removed,
    isSigned: signature !== undefined,
  };
}

function firstAuthor({ fields }: Header): string | undefined {
  const [from] = findFields(fields, 'from');
  const [author] = (from && mailboxesOf(fieldValue(from))?.mailboxes) ?? [];
  return author && addressKey(author);
}
