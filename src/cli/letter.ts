/** The message that `posthorn send` sends: composed from its parts, or a file as it is (M3, M8). */

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { formatAddress } from '../mail/address.ts';
import { mailboxesOf } from '../mail/header.ts';
import { withCrlf } from '../mail/line-ends.ts';
import { CommandError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface LetterOptions {
  from: string;
  to?: string[];
  cc?: string[];
  bcc?: string[];
  subject?: string;
  text?: string;
  html?: string;
  attach?: string[];
  /** Path of a complete message; `-` is standard input. */
  file?: string;
}

export interface Letter {
  /** `user@domain`. */
  from: string;
  recipients: string[];
  /** CRLF line ends. */
  content: Buffer;
}

export interface LetterSources {
  cwd: string;
  now: number;
  readInput(): Promise<Buffer>;
}

export async function writeLetter(options: LetterOptions, sources: LetterSources): Promise<Letter> {
  const [from, ...more] = readMailboxes([options.from]);
  if (from === undefined || more.length > 0)
    throw usage(`--from takes exactly one address, not "${options.from}".`);
  const recipients = readMailboxes([...(options.to ?? []), ...(options.cc ?? []), ...(options.bcc ?? [])]);
  if (recipients.length === 0) throw usage('send to whom? Add --to ADDRESS.');
  const content =
    options.file === undefined
      ? await composeLetter(options, from, sources)
      : await readLetter(options.file, sources);
  return { from, recipients, content };
}

async function composeLetter(
  options: LetterOptions,
  from: string,
  { cwd, now }: LetterSources,
): Promise<Buffer> {
  const { text, html, attach = [] } = options;
  if (text === undefined && html === undefined && attach.length === 0) {
    throw usage('send what? Add --text TEXT, --html HTML, --attach FILE, or --file MESSAGE.eml.');
  }
  const attachments = await Promise.all(
    attach.map(async (file) => ({ filename: basename(file), content: await readFile(resolve(cwd, file)) })),
  );
  // Loaded for this only: the server, started by the same program, composes no letters.
  const { compose } = await import('../mail/compose.ts');
  const { content } = await compose({
    from: options.from,
    to: options.to ?? [],
    cc: options.cc ?? [],
    bcc: options.bcc ?? [],
    subject: options.subject ?? '',
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    attachments,
    date: now,
    messageId: `<${randomUUID()}@${from.slice(from.lastIndexOf('@') + 1)}>`,
  });
  return content;
}

/** Files end their lines as their system does; mail ends them by CRLF (RFC 5322 §2.3). Every other octet stays. */
async function readLetter(file: string, { cwd, readInput }: LetterSources): Promise<Buffer> {
  const bytes = file === '-' ? await readInput() : await readFile(resolve(cwd, file));
  return withCrlf(bytes);
}

/** Each text is an address list as in a header field; answers with `user@domain`, each once. */
function readMailboxes(texts: readonly string[]): string[] {
  const addresses = texts.flatMap((text) => {
    const list = mailboxesOf(text);
    if (list === undefined || list.mailboxes.length === 0) {
      throw usage(`"${text}" is not a mail address. Write user@example.com or "Name <user@example.com>".`);
    }
    return list.mailboxes.map(formatAddress);
  });
  return [...new Set(addresses)];
}

const usage = (text: string) => new CommandError(exitCodes.usage, text);
