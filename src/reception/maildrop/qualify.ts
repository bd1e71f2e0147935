/** Addresses in a header that are names of this machine: `From: root (Cron Daemon)`. They get the machine's domain. Pure. */

import { fieldValue, parseHeader } from '../../mail/header.ts';
import { mailboxesOf } from '../../mail/mailboxes.ts';

const listFields = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'resent-from',
  'resent-to',
  'resent-cc',
]);

/** Only fields that are no lists of addresses as they are, and are when that is done; all else stays octet for octet. */
export function qualifyFields(content: Buffer, domain: string): Buffer {
  const { fields, bodyOffset, separator } = parseHeader(content);
  let isChanged = false;
  const parts = fields.map((field) => {
    const { name, raw } = field;
    if (!listFields.has(name) || mailboxesOf(fieldValue(field)) !== undefined) return raw;
    const value = fieldValue(field)
      .split(',')
      .map((one) => qualify(one, domain))
      .join(', ');
    if (mailboxesOf(value) === undefined) return raw;
    isChanged = true;
    return Buffer.from(`${raw.toString('latin1', 0, raw.indexOf(':'))}: ${value}\r\n`);
  });
  return isChanged ? Buffer.concat([...parts, separator, content.subarray(bodyOffset)]) : content;
}

/** `root`, `root (Cron Daemon)`, `Cron Daemon <root>`. */
function qualify(text: string, domain: string): string {
  const one = text.trim();
  const [, name, comment = ''] = /^([\w.+-]+)(\s*\([^()]*\))?$/.exec(one) ?? [];
  if (name !== undefined) return `${name}@${domain}${comment}`;
  return one.replace(/<([\w.+-]+)>$/, `<$1@${domain}>`);
}
