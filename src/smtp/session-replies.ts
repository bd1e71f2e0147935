/** What the SMTP session says by itself. Sober, and every refusal tells what to do about it. Codes: RFC 5321 §4.2, RFC 3463. */

import { type Reply, reply } from './reply.ts';

export const banner = (hostname: string, lmtp = false): Reply =>
  reply(220, '', `${hostname} ${lmtp ? 'LMTP' : 'ESMTP'} Posthorn`);
export const ok = reply(250, '2.0.0', 'OK');
export const resetOk = reply(250, '2.0.0', 'Transaction forgotten');
export const senderOk = reply(250, '2.1.0', 'Sender OK');
export const recipientOk = reply(250, '2.1.5', 'Recipient OK');
export const chunkOk = reply(250, '2.0.0', 'Chunk received');
export const startData = reply(354, '', 'Go ahead; end with <CRLF>.<CRLF>');
export const startTls = reply(220, '2.0.0', 'Ready to start TLS');
export const quit = reply(221, '2.0.0', 'Goodbye');
/** RFC 5321 §3.5.3: tells nothing about who exists. */
export const cannotVerify = reply(252, '2.5.0', 'Cannot verify; send mail to it and see');

export const unknownCommand = reply(500, '5.5.1', 'Unknown command; try HELP');
/** RFC 2033 §4.1. */
export const lhloOnly = reply(503, '5.5.1', 'This is LMTP: say LHLO first');
export const helloFirst = reply(503, '5.5.1', 'Say EHLO first');
export const mailFirst = reply(503, '5.5.1', 'Give the sender with MAIL FROM first');
export const nestedMail = reply(503, '5.5.1', 'A transaction is open already; RSET ends it');
export const noRecipients = reply(554, '5.5.1', 'No valid recipients; give one with RCPT TO first');
export const dataAfterBdat = reply(503, '5.5.1', 'BDAT has begun; go on with BDAT or RSET');
export const tooManyRecipients = reply(
  452,
  '4.5.3',
  'Too many recipients; send the rest in another transaction',
);
export const bareNewline = reply(
  554,
  '5.6.0',
  'CR or LF on its own in the message; lines must end in CRLF (RFC 5321 2.3.8)',
);
export const internalError = reply(451, '4.3.0', 'Internal error; try again later');

export const badCredentials = reply(535, '5.7.8', 'User name or password is wrong');
export const unknownMechanism = (offered: readonly string[]): Reply =>
  reply(504, '5.5.4', `Unknown mechanism; use one of ${offered.join(' ')}`);

export const authNotHere = reply(
  503,
  '5.5.1',
  'AUTH is not offered here; use the submission port, 465 or 587',
);
export const authNeedsTls = reply(538, '5.7.11', 'Encryption required; STARTTLS first');
export const alreadyAuthenticated = reply(503, '5.5.1', 'Already authenticated');
export const authInTransaction = reply(503, '5.5.1', 'AUTH is not allowed in a transaction; RSET ends it');

export const endlessLine = reply(421, '4.7.0', 'Line without end; closing');
export const tooManyCommands = reply(421, '4.7.0', 'Too many commands in one session; closing');
export const tooManyErrors = reply(421, '4.7.0', 'Too many errors; closing');

export const tooLarge = (messageBytes: number): Reply =>
  reply(552, '5.3.4', `Message too large; the limit is ${messageBytes} octets`);

export const lineTooLong = (limit: number): Reply =>
  reply(500, '5.5.2', `Line too long; the limit is ${limit} octets`);

export const unknownParameter = (keywords: string[]): Reply =>
  reply(555, '5.5.4', `Parameter ${keywords.join(' ').slice(0, 100)} is not offered here; see EHLO`);

/** RFC 8689 §2: the request is worth something only where it cannot be read or changed on its way. */
export const requireTlsNeedsTls = reply(530, '5.7.0', 'REQUIRETLS is for encrypted sessions; STARTTLS first');

export const noStartTls = (inTls: boolean): Reply =>
  inTls ? reply(503, '5.5.1', 'TLS is active already') : reply(502, '5.5.1', 'STARTTLS is not offered here');

export const authFailed = ({ reason, text }: { reason: 'cancelled' | 'malformed'; text: string }): Reply =>
  reply(501, reason === 'cancelled' ? '5.7.0' : '5.5.2', text);

export function goodbye(hostname: string, why: 'idle' | 'time' | 'shutdown' | 'revoked'): Reply {
  const texts = {
    idle: 'timeout, nothing heard for too long; closing',
    time: 'the session has lasted too long; closing',
    shutdown: 'shutting down; try again soon',
    revoked: 'what you logged in with is good no more; log in again',
  };
  const statuses = { idle: '4.4.2', time: '4.4.2', shutdown: '4.3.2', revoked: '4.7.0' };
  return reply(421, statuses[why], `${hostname} ${texts[why]}`);
}

/** RFC 5321 §4.1.1.1: our name, then one extension per line. */
export function extensions(offer: {
  hostname: string;
  messageBytes: number;
  recipients: number;
  startTls: boolean;
  requireTls: boolean;
  scheduling: readonly string[];
  auth: readonly string[];
}): Reply {
  const lines = [offer.hostname, 'PIPELINING', `SIZE ${offer.messageBytes}`, '8BITMIME', 'SMTPUTF8'];
  // RFC 9422: of its limits the only one that is kept here. Transactions and domains are not counted.
  lines.push('ENHANCEDSTATUSCODES', 'CHUNKING', 'DSN', `LIMITS RCPTMAX=${offer.recipients}`);
  if (offer.startTls) lines.push('STARTTLS');
  if (offer.requireTls) lines.push('REQUIRETLS');
  lines.push(...offer.scheduling);
  if (offer.auth.length > 0) lines.push(`AUTH ${offer.auth.join(' ')}`);
  return reply(250, '', ...lines);
}

export function help(offered: readonly string[]): Reply {
  const ofExtensions = ['AUTH', 'STARTTLS'].filter((name) => offered.some((line) => line.startsWith(name)));
  const commands = ['EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY', ...ofExtensions, 'HELP QUIT'];
  return reply(214, '2.0.0', commands.join(' '), `Extensions: ${offered.join(', ')}`);
}
