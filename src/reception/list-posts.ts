/**
 * Who may write to a mailing list. At RCPT by the reverse-path; and since that can be forged, a list that is not open to
 * anybody takes mail from outside only if SPF or DMARC prove it. Never what comes from the null sender: a list that answers
 * bounces multiplies them (RFC 5321 §4.5.5).
 */

import { isSenderProven } from '../authentication/proven-sender.ts';
import type { Verdicts } from '../authentication/verdicts.ts';
import { parseAddress } from '../mail/address.ts';
import type { Directory } from '../queue/directory.ts';
import type { ListMark, Recipient } from '../queue/recipient.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';
import type { Transaction } from './door.ts';
import type { Judging } from './judging.ts';
import type { MessageCollector } from './message-collector.ts';

/** RFC 3463 §3.8: X.7.2, mailing list expansion prohibited. */
const mayNotPost = (spelled: string): Reply =>
  reply(550, '5.7.2', `You may not write to the list <${spelled.slice(0, 100)}>; ask its owner`);

export interface Post {
  reversePath: string;
  spelled: string;
  found: readonly Recipient[];
}

/** At once where there is no list. */
export function refusePost(directory: Directory, post: Post): MaybePromise<Reply | undefined> {
  if (!post.found.some(({ list }) => list)) return undefined;
  return refuse(directory, post, listsAmong(post.found));
}

async function refuse(
  directory: Directory,
  { reversePath, spelled }: Post,
  lists: readonly ListMark[],
): Promise<Reply | undefined> {
  const sender = parseAddress(reversePath);
  for (const list of lists)
    if (!sender || !(await directory.mayPost(list, sender))) return mayNotPost(spelled);
  return undefined;
}

/** What is known of a message for a list that not everybody may write to. */
export interface ClosedPost {
  transaction: Transaction;
  collector: MessageCollector;
  verdicts: Verdicts;
}

/** At the end of a message from outside; undefined at once where there is no such list. While DNS does not tell, it is asked back. */
export function refuseUnproven(
  judging: Pick<Judging, 'mayDefer'>,
  post: ClosedPost,
): MaybePromise<ListRefusal | undefined> {
  const { recipients, reversePath } = post.transaction;
  if (!isForClosedList(recipients) || isSenderProven(post.verdicts, reversePath)) return undefined;
  if (!isOpen(post.verdicts)) return unproven(reversePath);
  return judging
    .mayDefer(post.transaction, post.collector)
    .then((mayDefer) => (mayDefer ? later : unproven(reversePath)));
}

export interface ListRefusal {
  rule: string;
  reply: Reply;
}

const isOpen = ({ spf, dkim, dmarc }: Verdicts): boolean =>
  [spf, ...dkim, dmarc].some(({ result }) => result === 'temperror');

const unproven = (reversePath: string): ListRefusal => ({
  rule: 'not everybody may write to this list, and nothing proves that the message comes from its sender',
  reply: reply(
    550,
    '5.7.2',
    `Cannot tell that this comes from <${reversePath.slice(0, 100)}>, who may write to the list; send it by that domain's own server`,
  ),
});

const later: ListRefusal = {
  rule: 'not everybody may write to this list, and what would prove its sender cannot be looked up now',
  reply: reply(451, '4.4.3', 'Cannot look up now who sent this, for a list of ours; try again later'),
};

/** Not everybody may write to one of them. */
export const isForClosedList = (recipients: readonly Recipient[]): boolean =>
  listsAmong(recipients).some(({ post }) => post !== 'anybody');

const listsAmong = (recipients: readonly Recipient[]): ListMark[] => [
  ...new Set(recipients.flatMap(({ list }) => list ?? [])),
];
