/** What came on standard input, made into a message with a header. Pure. Bcc, Date and Message-ID are the server's part. */

import { isAscii } from 'node:buffer';
import { formatAddress } from '../../mail/address.ts';
import { encodeField } from '../../mail/encode-words.ts';
import { fieldValue, findFields, findHeaderEnd, type Header, parseHeader } from '../../mail/header.ts';
import { withCrlf } from '../../mail/line-ends.ts';
import { mailboxesOf } from '../../mail/mailboxes.ts';
import { encodeQuotedPrintable } from '../../mail/quoted-printable.ts';
import { maxLineOctets } from '../../mail/submission-rules.ts';

/** A message that cannot be sent as it is; a sentence for people. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

export interface Input {
  message: Buffer;
  /** Of To, Cc and Bcc, and where there are such, of Resent-To, Resent-Cc and Resent-Bcc instead. */
  headerRecipients: string[];
}

/** CRLF line ends; without `ignoreDots`, up to a line with a dot alone. Throws a MessageError. */
export function readMessage(
  input: Buffer,
  { ignoreDots, fromHeader }: { ignoreDots: boolean; fromHeader: boolean },
): Input {
  const whole = withHeader(withoutMboxLine(withCrlf(ignoreDots ? input : upToDot(input))));
  if (whole.includes(0))
    throw new MessageError('The message has a NUL octet. Encode what is no text, as base64 for instance.');
  const end = findHeaderEnd(whole) ?? whole.length;
  const header = parseHeader(whole.subarray(0, end));
  return {
    message: withAsciiHeader(withShortLines(whole, end, header)),
    headerRecipients: fromHeader ? recipientsOf(header) : [],
  };
}

function upToDot(input: Buffer): Buffer {
  if (/^\.\r?\n/.test(input.toString('latin1', 0, 3)) || input.equals(Buffer.from('.')))
    return Buffer.alloc(0);
  for (let at = input.indexOf('\n.'); at >= 0; at = input.indexOf('\n.', at + 1)) {
    const rest = input.toString('latin1', at + 2, at + 4);
    if (rest === '' || rest.startsWith('\n') || rest === '\r\n') return input.subarray(0, at + 1);
  }
  return input;
}

/** `From user Sat Nov 28 …`, which mailboxes put before a message. */
function withoutMboxLine(message: Buffer): Buffer {
  if (!message.subarray(0, 5).equals(Buffer.from('From '))) return message;
  return message.subarray(message.indexOf('\n') + 1);
}

/** A text without any header is a body: `echo hello | sendmail root`. */
function withHeader(message: Buffer): Buffer {
  const [first = ''] = message.toString('latin1', 0, 1000).split('\r\n', 1);
  const isBody = first !== '' && !/^[!-9;-~]+[ \t]*:/.test(first);
  return isBody ? Buffer.concat([Buffer.from('\r\n'), message]) : message;
}

const fieldNames = ['to', 'cc', 'bcc'];

function recipientsOf({ fields }: Header): string[] {
  const valuesOf = (prefix: string) =>
    fieldNames.flatMap((name) => findFields(fields, `${prefix}${name}`).map(fieldValue));
  const resent = valuesOf('resent-');
  return (resent.length > 0 ? resent : valuesOf('')).flatMap(addressesOf);
}

/** Where a word stands without a domain: such a one is a user of this machine, as the server knows them. */
const noDomain = 'unqualified.invalid';

function addressesOf(value: string): string[] {
  const list = mailboxesOf(value) ?? mailboxesOf(withDomains(value));
  if (list === undefined)
    throw new MessageError(
      `Cannot read the addresses "${value.slice(0, 200)}". Write user@example.org, with commas between.`,
    );
  return list.mailboxes.map((mailbox) =>
    mailbox.domain === noDomain ? mailbox.localPart : formatAddress(mailbox),
  );
}

const withDomains = (value: string): string =>
  value
    .split(',')
    .map((one) => (/^\s*[\w.+-]+\s*$/.test(one) ? `${one.trim()}@${noDomain}` : one))
    .join(', ');

/** PHP's mail(), cron and many scripts write a Subject as it comes: receivers without SMTPUTF8 would refuse it. */
function withAsciiHeader(message: Buffer): Buffer {
  const end = findHeaderEnd(message) ?? message.length;
  if (isAscii(message.subarray(0, end))) return message;
  const { fields, separator } = parseHeader(message.subarray(0, end));
  return Buffer.concat([...fields.map(encodeField), separator, message.subarray(end)]);
}

/** What programs print may have lines of any length (RFC 5322 §2.1.1): in a body that is mere text they are encoded. */
function withShortLines(whole: Buffer, end: number, header: Header): Buffer {
  const body = whole.subarray(end);
  if (!hasLongLine(body)) return whole;
  const fieldOf = (name: string) =>
    findFields(header.fields, name).map(fieldValue).at(0)?.trim().toLowerCase();
  const [type, encoding] = [fieldOf('content-type'), fieldOf('content-transfer-encoding')];
  const isText = type === undefined || type.startsWith('text/');
  const isPlain = encoding === undefined || encoding === '7bit' || encoding === '8bit';
  if (!isText || !isPlain) return whole; // the server says what is wrong with it
  const names = ['content-transfer-encoding'];
  const kept = header.fields.filter(({ name }) => !names.includes(name)).map(({ raw }) => raw);
  const added = [
    ...(fieldOf('mime-version') === undefined ? ['MIME-Version: 1.0\r\n'] : []),
    ...(type === undefined ? ['Content-Type: text/plain; charset=utf-8\r\n'] : []),
    'Content-Transfer-Encoding: quoted-printable\r\n\r\n',
  ];
  return Buffer.concat([...kept, Buffer.from(added.join('')), encodeQuotedPrintable(body)]);
}

function hasLongLine(body: Buffer): boolean {
  for (let start = 0; start < body.length; ) {
    const end = body.indexOf('\n', start);
    const length = (end < 0 ? body.length : end - 1) - start;
    if (length > maxLineOctets) return true;
    if (end < 0) return false;
    start = end + 1;
  }
  return false;
}
