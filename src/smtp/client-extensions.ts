/**
 * What a receiver offers in its reply to EHLO (RFC 5321 §4.1.1.1), and what follows for a message: the parameters of
 * MAIL and RCPT (RFC 1870, 2852, 3461, 6152, 6531, 6710, 8689), how addresses are written, and what cannot be sent there at all.
 */

import { formatAddress, needsSmtputf8, parseAddress } from '../mail/address.ts';
import type { RcptRequests } from './rcpt-parameters.ts';
import type { Reply } from './reply.ts';
import { schedulingParameters, timeFault } from './scheduling-parameters.ts';
import type { Transaction } from './transaction.ts';
import { encodeXtext } from './xtext.ts';

/** Upper-case keyword → its parameters, unparsed. */
export type Extensions = ReadonlyMap<string, string>;

/** The first line is the receiver's name; a plain HELO has nothing else. */
export function parseExtensions({ lines }: Reply): Extensions {
  const extensions = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().split(/ +/);
    extensions.set(keyword.toUpperCase(), parameters.join(' '));
  }
  return extensions;
}

/**
 * MAIL with the parameters that the receiver knows. BODY=8BITMIME is always true of what we send.
 */
export function mailCommand(extensions: Extensions, transaction: Transaction): string {
  const { reversePath, sizeBytes, requests } = transaction;
  let command = `MAIL FROM:<${wirePath(extensions, transaction, reversePath)}>`;
  if (extensions.has('SIZE')) command += ` SIZE=${sizeBytes}`;
  if (extensions.has('8BITMIME')) command += ' BODY=8BITMIME';
  if (speaksUtf8(extensions, transaction)) command += ' SMTPUTF8';
  if (requests?.requireTls && extensions.has('REQUIRETLS')) command += ' REQUIRETLS';
  if (requests === undefined) return command;
  if (extensions.has('DSN')) command += reportParameters(requests);
  return command + schedulingParameters(requests, (keyword) => extensions.has(keyword));
}

/** Passed on as they came (RFC 3461 §5.2.1 a, b). */
function reportParameters({ ret, envid }: NonNullable<Transaction['requests']>): string {
  const returned = ret === undefined ? '' : ` RET=${ret === 'full' ? 'FULL' : 'HDRS'}`;
  return envid === undefined ? returned : `${returned} ENVID=${encodeXtext(envid)}`;
}

export function rcptCommand(
  extensions: Extensions,
  transaction: Transaction,
  recipient: string,
  requests?: RcptRequests,
): string {
  const command = `RCPT TO:<${wirePath(extensions, transaction, recipient)}>`;
  if (requests === undefined || !extensions.has('DSN')) return command;
  const { notify, orcpt } = requests;
  return [
    command,
    ...(notify === undefined ? [] : [`NOTIFY=${notify.join(',').toUpperCase()}`]),
    ...(orcpt === undefined ? [] : [`ORCPT=${wireOrcpt(extensions, transaction, orcpt)}`]),
  ].join(' ');
}

/** As it came (RFC 3461 §5.2.1 d), but for UTF-8 where SMTPUTF8 does not carry it (RFC 6533 §3). */
function wireOrcpt(extensions: Extensions, transaction: Transaction, orcpt: string): string {
  if (speaksUtf8(extensions, transaction)) return orcpt;
  const escaped = (character: string) => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  return orcpt.replace(/[^\0-\x7f]/gu, escaped);
}

/** SMTPUTF8 obliges every later hop, so it is passed on, never added. */
const speaksUtf8 = (extensions: Extensions, { smtputf8 }: Transaction): boolean =>
  smtputf8 && extensions.has('SMTPUTF8');

/** Without SMTPUTF8 a domain goes in its A-labels, which say the same to everybody (RFC 6531 §3.2, RFC 5890). */
function wirePath(extensions: Extensions, transaction: Transaction, path: string): string {
  if (speaksUtf8(extensions, transaction) || !isInternational(path)) return path;
  const address = parseAddress(path);
  return address ? formatAddress(address) : path;
}

/** 8-bit content may go there as it is; SMTPUTF8 comes with 8BITMIME (RFC 6531 §3.1), also where that is not said. */
export function takesEightBit(extensions: Extensions, transaction: Transaction): boolean {
  return extensions.has('8BITMIME') || speaksUtf8(extensions, transaction);
}

export interface Unmet {
  /** Enhanced status code (RFC 3463). */
  status: string;
  reason: string;
  /** The recipients to whom this applies. */
  applies(recipient: string): boolean;
}

const toAll = () => true;
const nothing: readonly Unmet[] = [];

/** What the message needs and the receiver does not offer; of several, the first that applies to a recipient counts. */
export async function findUnmet(extensions: Extensions, transaction: Transaction): Promise<readonly Unmet[]> {
  const limit = Number(extensions.get('SIZE') ?? 0);
  if (limit > 0 && transaction.sizeBytes > limit) {
    const reason = `the message has ${transaction.sizeBytes} octets, the receiver takes ${limit}`;
    return [{ status: '5.3.4', reason, applies: toAll }];
  }
  const late = transaction.requests && timeFault(transaction.requests, extensions.get('DELIVERBY'));
  if (late !== undefined) return [{ status: '5.4.7', reason: late, applies: toAll }];
  if (!transaction.smtputf8 || extensions.has('SMTPUTF8')) return nothing;
  const reason = 'the receiver does not take internationalized mail (SMTPUTF8)';
  const ofAddress = { status: '5.6.7', reason: `${reason}, which this address needs` };
  if (needsUtf8(transaction.reversePath)) return [{ ...ofAddress, applies: toAll }];
  const ofRecipients = { ...ofAddress, applies: needsUtf8 };
  // The header last: our own trace field may name the recipient.
  if (transaction.recipients.every(needsUtf8) || !(await hasInternationalHeader(transaction)))
    return [ofRecipients];
  return [ofRecipients, { status: '5.6.9', reason: `${reason}, which the header needs`, applies: toAll }];
}

/** A domain alone does not: see wirePath(). */
function needsUtf8(path: string): boolean {
  const address = parseAddress(path);
  return address ? needsSmtputf8(address) : isInternational(path);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const isInternational = (text: string): boolean => /[^\x00-\x7f]/.test(text);

/** A header section beyond this is taken to need SMTPUTF8. */
const maxHeaderBytes = 1 << 20;

/**
 * SMTPUTF8 is often declared by clients that do not need it. Only what is not ASCII in the header or before the @ of the
 * reverse path does (RFC 6531 §3.4), and that is looked at only where the receiver does not offer the extension.
 */
async function hasInternationalHeader({ content }: Transaction): Promise<boolean> {
  let header: Buffer = Buffer.alloc(0);
  for await (const chunk of content()) {
    header = Buffer.concat([header, chunk]);
    const end = header.indexOf('\r\n\r\n');
    if (end !== -1) return isInternational(header.toString('latin1', 0, end));
    if (header.length > maxHeaderBytes) return true;
  }
  return isInternational(header.toString('latin1'));
}
