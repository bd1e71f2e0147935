/** The fields that only final delivery writes: Return-Path (RFC 5321 §4.4), Delivered-To, by which loops are seen, and the verdict. */

import { parseAddress } from '../mail/address.ts';
import { foldField } from '../mail/fold.ts';
import { listField } from '../mail/list-fields.ts';
import { isTagged } from '../mail/subaddress.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';

/** What the recipient's own policy made of the message; nobody else's business, so it is not in the message before. */
const verdictField = 'X-Posthorn-Verdict';

/** Of what another server said, characters: with the address, a line has room for 998 (RFC 5322 §2.1.1). */
const maxReason = 500;

export function finalFields({ reversePath }: MessageRow, job: JobRow): Buffer {
  const judged = job.verdict === undefined ? '' : foldField(verdictField, job.verdict.split(' '));
  const returned = job.memo?.returned ? whyBack(job.memo.returned) : '';
  const { list } = job.memo ?? {};
  const sender = list?.owner ?? reversePath;
  const listed = list ? listField(list) : '';
  return Buffer.from(`Return-Path: <${sender}>\r\n${deliveredTo(job)}${judged}${returned}${listed}`);
}

/** One line, whatever the other server said. */
function whyBack({ from, reason }: { from: string; reason: string }): string {
  const said = reason.replace(/[^\x21-\x7e]+/g, ' ').slice(0, maxReason);
  return `X-Posthorn-Forward: could not be passed on to <${from}>: ${said}\r\n`;
}

/**
 * A tag is the user's own, to sort by, so it is kept. By which other address the mail has come (an alias, a catch-all) is
 * told in a field of its own: loops are seen by the address of the mailbox.
 */
function deliveredTo({ recipient, originalRecipient: written }: JobRow): string {
  if (written === undefined) return `Delivered-To: ${recipient}\r\n`;
  const [original, mailbox] = [parseAddress(written), parseAddress(recipient)];
  return original && mailbox && isTagged(original.localPart, mailbox.localPart)
    ? `Delivered-To: ${written}\r\n`
    : `Delivered-To: ${recipient}\r\nX-Original-To: ${written}\r\n`;
}
