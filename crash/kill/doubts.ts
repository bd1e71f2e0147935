/**
 * Whether the world outside may have a message more than once: only where an attempt was under way at a kill, once for each
 * such attempt, and its dossier calls it in doubt.
 */

import { withAdmin } from '../../e2e/peers/control.ts';
import { messageId } from '../../e2e/peers/flood.ts';
import type { Admin } from '../../src/admin/admin.ts';
import type { Item } from './ledger.ts';
import { outsider, type Stage } from './stage.ts';

/** A copy came at most this long before or after a kill: its outcome was not yet on disk. */
const inFlightMs = 1_000;

/** Sentences about what came outside more often than it may. */
export async function doubleDeliveries(stage: Stage, repeated: ReadonlyMap<Item, number>): Promise<string[]> {
  return withAdmin(stage.server, async (admin) => {
    const complaints = [...repeated]
      .filter(([item]) => item.endsWith(` ${outsider}`))
      .map(([item, copies]) => complaintAbout(stage, admin, { item, copies }));
    return (await Promise.all(complaints)).filter((complaint) => complaint !== undefined);
  });
}

async function complaintAbout(
  stage: Stage,
  admin: Admin,
  { item, copies }: { item: Item; copies: number },
): Promise<string | undefined> {
  const [number = ''] = item.split(' ');
  const what = `message ${number} came to ${outsider} ${copies} times`;
  if (!eachWasInFlight(stage.ledger.foundAt(item), stage.killedAt))
    return `${what}, without a kill for each further copy while it was under way`;
  const events = await admin.trace({ subject: messageId(Number(number)), limit: 1 });
  // Not one for each copy: an attempt in doubt that a kill interrupts too leaves no word of its own.
  const isDoubted = events.some((each) => each.event === 'inDoubt' && each.recipient === outsider);
  return isDoubted ? undefined : `${what}, and its dossier does not call it in doubt`;
}

/**
 * Between two copies there is a kill, not long after the first of them came; a kill excuses one copy. All times are
 * performance.now(), in their order.
 */
export function eachWasInFlight(foundAt: readonly number[], killedAt: readonly number[]): boolean {
  let used = -1;
  return foundAt.slice(1).every((next, index) => {
    const earlier = foundAt[index] ?? 0;
    used = killedAt.findIndex((at, turn) => turn > used && at < next && Math.abs(at - earlier) < inFlightMs);
    return used >= 0;
  });
}
