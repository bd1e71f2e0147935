/** Where a message for one recipient goes in the end, and on whose behalf. */

import type { MailingList } from '../store/account-store.ts';
import type { JobRequests } from '../store/job.ts';

/** A mailing list that a message is for. */
export interface ListMark extends MailingList {
  address: string;
}

export interface Recipient {
  kind: 'local' | 'remote';
  /** Local: the account. Remote: the address as it was given. */
  address: string;
  /** The domain of a remote recipient; '' for a local one. */
  destination: string;
  /** What the sender wrote, where it was resolved to another address, and by which rule. */
  redirected?: { from: string; rule: string };
  /** Local: octets of mail that the account may hold; absent: as many as there is room for. */
  quotaBytes?: number;
  /** The account whose mail this is, and who has it passed on. */
  forwardedBy?: string;
  /** A copy stays in an account that has passed it on. */
  copyKept?: true;
  /** Local: where it is put, and what the recipient's policy says of it. By default the Inbox, and nothing. */
  ruling?: { folder: 'Inbox' | 'Junk'; verdict: string };
  /** The mailing list that it came by. */
  list?: ListMark;
  /** The account whose Junk folder gets it where it is junk, which is not passed on. */
  junkTo?: string;
  /** What the sender asked for about this recipient. */
  requests?: JobRequests;
  /** A report about mail that went on from here, on its way back to its sender (return-paths.ts). */
  isReturn?: true;
}

/** Who gets it where the message is junk: what we pass on counts against us, so it stays with whose mail it is. */
export function asJunk(recipient: Recipient): Recipient {
  const { junkTo, redirected, requests, ruling, list } = recipient;
  if (junkTo === undefined) return recipient;
  const from = redirected?.from ?? recipient.address;
  return {
    kind: 'local',
    address: junkTo,
    destination: '',
    ...(from.toLowerCase() !== junkTo && { redirected: { from, rule: 'junk is not passed on' } }),
    ...(requests && { requests }),
    ...(ruling && { ruling }),
    ...(list && { list }),
  };
}
