/** Where a message for one recipient goes in the end, and on whose behalf. */

import type { JobRequests } from '../store/store.ts';

export interface Recipient {
  kind: 'local' | 'remote';
  /** Local: the account. Remote: the address as it was given. */
  address: string;
  /** The domain of a remote recipient; '' for a local one. */
  destination: string;
  /** What the sender wrote, where it was resolved to another address, and by which rule. */
  redirected?: { from: string; rule: string };
  /** The account whose mail this is, and who has it passed on. */
  forwardedBy?: string;
  /** Local: where it is put, and what the recipient's policy says of it. By default the Inbox, and nothing. */
  ruling?: { folder: 'Inbox' | 'Junk'; verdict: string };
  /** What the sender asked for about this recipient. */
  requests?: JobRequests;
}
