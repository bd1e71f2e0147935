/**
 * What waits for one receiving site: senders take turns, each sender's own mail keeps its order. However much one sends,
 * the next one's first message waits for one of each of the others. Every operation costs the same, however long it is.
 */

/** What stands in line. */
export interface Waiter {
  /** Who takes turns with others: an account, or a reverse path. */
  sender: string;
  jobCount: number;
}

export interface Line<G extends Waiter> {
  /** By sender, in the order of their turns; none is empty. */
  lanes: Map<string, Lane<G>>;
  groups: number;
  jobs: number;
}

interface Lane<G> {
  /** Those before `head` have been taken. */
  items: G[];
  head: number;
  jobs: number;
}

/** What was taken is cut off when it is so much, and half of the lane. */
const cutAt = 64;

export const emptyLine = <G extends Waiter>(): Line<G> => ({ lanes: new Map(), groups: 0, jobs: 0 });

export function enter<G extends Waiter>(line: Line<G>, group: G): void {
  const lane = line.lanes.get(group.sender);
  if (lane) {
    lane.items.push(group);
    lane.jobs += group.jobCount;
  } else line.lanes.set(group.sender, { items: [group], head: 0, jobs: group.jobCount });
  line.groups++;
  line.jobs += group.jobCount;
}

/** The next one: of the sender whose turn it is, who then comes last. */
export function takeNext<G extends Waiter>(line: Line<G>): G | undefined {
  const { lanes } = line;
  const [first] = lanes;
  if (first === undefined) return undefined;
  const [sender, lane] = first;
  const group = lane.items[lane.head];
  if (group === undefined) return undefined; // not so long as no lane is empty
  lane.head++;
  lane.jobs -= group.jobCount;
  line.groups--;
  line.jobs -= group.jobCount;
  const isEmpty = lane.head === lane.items.length;
  if (isEmpty || lanes.size > 1) lanes.delete(sender);
  if (!isEmpty) lanes.set(sender, withoutTaken(lane));
  return group;
}

/** All that waits, sender by sender. */
export function* eachIn<G extends Waiter>({ lanes }: Line<G>): Iterable<G> {
  for (const { items, head } of lanes.values()) yield* items.slice(head);
}

function withoutTaken<G>(lane: Lane<G>): Lane<G> {
  if (lane.head >= cutAt && 2 * lane.head >= lane.items.length) {
    lane.items = lane.items.slice(lane.head);
    lane.head = 0;
  }
  return lane;
}

/** All of them, sender by sender; the line is empty then. */
export function takeAll<G extends Waiter>(line: Line<G>): G[] {
  const all = [...line.lanes.values()].flatMap(({ items, head }) => items.slice(head));
  line.lanes.clear();
  line.groups = 0;
  line.jobs = 0;
  return all;
}

/** Jobs of one sender that stand in line. */
export const jobsOf = <G extends Waiter>({ lanes }: Line<G>, sender: string): number =>
  lanes.get(sender)?.jobs ?? 0;
