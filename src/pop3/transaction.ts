/**
 * POP3's TRANSACTION state (RFC 1939 §5, §7): a command on a maildrop → what to say or to ask. The deletion marks are
 * the only thing it changes, and those are the maildrop's.
 */

import type { Command } from './command.ts';
import type { MaildropMessage, Pop3Event } from './event.ts';
import type { Maildrop } from './maildrop.ts';
import { fault, multiLine, refusal, response, type Step } from './response.ts';

export function transact(command: Command, maildrop: Maildrop): Step {
  switch (command.keyword) {
    case 'STAT':
      return response(`${maildrop.count} ${maildrop.sizeBytes}`);
    case 'LIST':
      return list(command.number, maildrop, ({ sizeBytes }) => String(sizeBytes));
    case 'UIDL':
      return list(command.number, maildrop, ({ uniqueId }) => uniqueId);
    case 'RETR':
      return retrieve({ type: 'retrieve', number: command.number }, maildrop);
    case 'TOP':
      return retrieve({ type: 'retrieve', number: command.number, bodyLines: command.bodyLines }, maildrop);
    case 'DELE':
      return markDeleted(command.number, maildrop);
    case 'RSET':
      maildrop.unmarkAll();
      return response(summary(maildrop));
    case 'NOOP':
      return response('Still here');
    default:
      return fault('Not after you have logged in');
  }
}

/** `2 messages (320 octets)`: what STAT says, for people. */
export const summary = ({ count, sizeBytes }: Maildrop): string =>
  `${count} ${count === 1 ? 'message' : 'messages'} (${sizeBytes} octets)`;

/** One message's line, or those of all. */
function list(
  number: number | undefined,
  maildrop: Maildrop,
  show: (message: MaildropMessage) => string,
): Step {
  if (number === undefined) return multiLine(summary(maildrop), listingOf(maildrop, show));
  const message = maildrop.find(number);
  return message === undefined ? noMessage(number, maildrop) : response(`${number} ${show(message)}`);
}

function* listingOf(maildrop: Maildrop, show: (message: MaildropMessage) => string): Generator<string> {
  for (const [number, message] of maildrop.numbered()) yield `${number} ${show(message)}`;
}

function retrieve(event: Pop3Event & { type: 'retrieve' }, maildrop: Maildrop): Step {
  return maildrop.find(event.number) === undefined
    ? noMessage(event.number, maildrop)
    : { kind: 'ask', event };
}

function markDeleted(number: number, maildrop: Maildrop): Step {
  if (maildrop.find(number) === undefined) return noMessage(number, maildrop);
  maildrop.markDeleted(number);
  return response(`Message ${number} will be deleted at QUIT`);
}

const noMessage = (number: number, maildrop: Maildrop): Step =>
  refusal(
    maildrop.isMarked(number)
      ? `Message ${number} is marked as deleted; RSET brings it back`
      : `There is no message ${number}; LIST shows those that exist`,
  );
