/**
 * Whether a message may be somewhere twice: outside only where an attempt was under way at a kill, once for each such
 * attempt, and its dossier calls it in doubt. Never in a Maildir, where a repeated delivery finds the first by its name.
 */

import { withAdmin } from '../../e2e/peers/control.ts';
import { messageId } from '../../e2e/peers/flood.ts';
import type { Admin } from '../../src/admin/admin.ts';
import type { Item } from './ledger.ts';
import { alice, outsider, type Stage } from './stage.ts';

/** A copy came at most this long before or after a kill: its outcome was not yet on disk. */
const inFlightMs = 1_000;

/** Sentences about what is there more often than it may be. */
export async function doubleDeliveries(stage: Stage, repeated: ReadonlyMap<Item, number>): Promise<string[]> {
  return withAdmin(stage.server, async (admin) => {
    const complaints = [...repeated.keys()].map((item) => complaintAbout(stage, admin, item));
    return (await Promise.all(complaints)).filter((complaint) => complaint !== undefined);
  });
}

async function complaintAbout(stage: Stage, admin: Admin, item: Item): Promise<string | undefined> {
  const [number = '', recipient = ''] = item.split(' ');
  const what = `message ${number} came to ${recipient} more than once`;
  if (recipient === alice) return `${what}: her Maildir has it twice`;
  if (recipient !== outsider) return undefined; // A POP3 client that was cut off fetches again.
  if (!eachWasInFlight(stage.ledger.foundAt(item), stage.killedAt))
    return `${what}, without a kill while it was under way`;
  const events = await admin.trace({ subject: messageId(Number(number)), limit: 1 });
  const isDoubted = events.some((each) => each.event === 'inDoubt' && each.recipient === recipient);
  return isDoubted ? undefined : `${what}, and its dossier does not call it in doubt`;
}

/** Between two copies there is a kill, and not long after the first of them came. All times are performance.now(). */
export function eachWasInFlight(foundAt: readonly number[], killedAt: readonly number[]): boolean {
  return foundAt.slice(1).every((next, index) => {
    const earlier = foundAt[index] ?? 0;
    return killedAt.some((at) => at < next && Math.abs(at - earlier) < inFlightMs);
  });
}
