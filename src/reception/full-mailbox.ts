/** The answer to who sends to a mailbox that has no room (RFC 3463 §3.3): 4xx at first, for its owner may clear it; in the end 5xx. */

import type { Quotas, Room } from '../queue/quotas.ts';
import type { Recipient } from '../queue/recipient.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';

export interface Asked {
  spelled: string;
  found: readonly Recipient[];
  /** As the client declared it. */
  sizeBytes: number | undefined;
}

export function refuseFull(
  quotas: Pick<Quotas, 'roomFor'> | undefined,
  { spelled, found, sizeBytes = 0 }: Asked,
): MaybePromise<Reply | undefined> {
  return quotas?.roomFor(found, sizeBytes)?.then((room) => answerTo(room, spelled.slice(0, 100)));
}

function answerTo(room: Room, spelled: string): Reply | undefined {
  switch (room) {
    case 'enough':
      return undefined;
    case 'full':
      return reply(452, '4.2.2', `The mailbox <${spelled}> is full; try again later`);
    case 'fullForGood':
      return reply(552, '5.2.2', `The mailbox <${spelled}> is full; reach its owner another way`);
    case 'never':
      return reply(552, '5.2.3', `The message is larger than <${spelled}> takes; send less at once`);
  }
}
