/** In whose name a message is written, as far as our own signature is concerned. DMARC's stricter view is not this. */

import { fieldValue, findFields, type Header, mailboxesOf } from './header.ts';

/** The domain of the first From mailbox, in A-labels; undefined where it cannot be told. */
export function authorDomain({ fields }: Header): string | undefined {
  const [from] = findFields(fields, 'from');
  return from && mailboxesOf(fieldValue(from))?.mailboxes[0]?.domain;
}
