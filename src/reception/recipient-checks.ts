/** What is asked of a recipient who is there before RCPT is answered: one thing after the other, the first refusal counts. */

import type { Recipient } from '../queue/recipient.ts';
import { type Reply, reply } from '../smtp/reply.ts';
import type { MaybePromise } from '../util/maybe-promise.ts';

export type Check = () => MaybePromise<Reply | undefined>;

/** At once, as long as every check answers at once. */
export function firstRefusal(checks: readonly Check[]): MaybePromise<Reply | undefined> {
  for (const [index, check] of checks.entries()) {
    const answer = check();
    if (answer instanceof Promise)
      return answer.then((refusal) => refusal ?? firstRefusal(checks.slice(index + 1)));
    if (answer) return answer;
  }
  return undefined;
}

/** RFC 5321 §4.5.5: that is what the null sender is for. */
const onlyBounces = reply(
  550,
  '5.7.1',
  'This address takes reports of failed delivery only, which come from the null sender; write to the person',
);

/** An address under which mail went on from here takes nothing else than what comes back of it. */
export const refuseToReturn = (reversePath: string, found: readonly Recipient[]): Reply | undefined =>
  reversePath !== '' && found.some(({ isReturn }) => isReturn) ? onlyBounces : undefined;
