/**
 * What waits for one receiving site: senders take turns, each sender's own mail keeps its order, but for what he has given
 * another priority (RFC 6710). However much one sends, and however urgent it is to him, the next one's first message waits for
 * one of each of the others. Every operation costs the same, however long it is.
 */

/** What stands in line. */
export interface Waiter {
  /** Who takes turns with others: an account, or a reverse path. */
  sender: string;
  jobCount: number;
  /** Among the mail of its sender; absent: 0, as nearly all mail has. */
  priority?: number;
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
  /** Those of other priorities, the higher ones first; none is empty. Absent where there are none. */
  others?: { priority: number; items: G[]; head: number }[];
}

/** What was taken is cut off when it is so much, and half of the lane. */
const cutAt = 64;

export const emptyLine = <G extends Waiter>(): Line<G> => ({ lanes: new Map(), groups: 0, jobs: 0 });

export function enter<G extends Waiter>(line: Line<G>, group: G): void {
  const lane = line.lanes.get(group.sender);
  if (group.priority) enterOthers(line, lane, { group, priority: group.priority });
  else if (lane) {
    lane.items.push(group);
    lane.jobs += group.jobCount;
  } else line.lanes.set(group.sender, { items: [group], head: 0, jobs: group.jobCount });
  line.groups++;
  line.jobs += group.jobCount;
}

function enterOthers<G extends Waiter>(
  line: Line<G>,
  existing: Lane<G> | undefined,
  { group, priority }: { group: G; priority: number },
): void {
  const { sender, jobCount } = group;
  const lane: Lane<G> = existing ?? { items: [], head: 0, jobs: 0 };
  if (!existing) line.lanes.set(sender, lane);
  lane.jobs += jobCount;
  lane.others ??= [];
  const same = lane.others.find((each) => each.priority === priority);
  if (same) same.items.push(group);
  else {
    lane.others.push({ priority, items: [group], head: 0 });
    lane.others.sort((one, other) => other.priority - one.priority); // 18 at most
  }
}

/** What comes before the ordinary ones, or after the last of them. */
function takeFromOthers<G>(lane: Lane<G>): G | undefined {
  const { others } = lane;
  const first = others?.[0];
  if (others === undefined || first === undefined) return undefined;
  if (first.priority < 0 && lane.head < lane.items.length) return undefined;
  const group = first.items[first.head++];
  if (first.head === first.items.length) others.shift();
  else withoutTaken(first);
  if (others.length === 0) delete lane.others;
  return group;
}

/** The next one: of the sender whose turn it is, who then comes last. */
export function takeNext<G extends Waiter>(line: Line<G>): G | undefined {
  const { lanes } = line;
  const [first] = lanes;
  if (first === undefined) return undefined;
  const [sender, lane] = first;
  const group = (lane.others && takeFromOthers(lane)) ?? lane.items[lane.head++];
  if (group === undefined) return undefined; // not so long as no lane is empty
  lane.jobs -= group.jobCount;
  line.groups--;
  line.jobs -= group.jobCount;
  const isEmpty = lane.head === lane.items.length && lane.others === undefined;
  if (isEmpty || lanes.size > 1) lanes.delete(sender);
  if (!isEmpty) lanes.set(sender, withoutTaken(lane));
  return group;
}

/** All that waits, sender by sender. */
export function* eachIn<G extends Waiter>({ lanes }: Line<G>): Iterable<G> {
  for (const lane of lanes.values()) yield* inOrder(lane);
}

function inOrder<G>({ items, head, others = [] }: Lane<G>): G[] {
  const rest = (lanes: typeof others) => lanes.flatMap((each) => each.items.slice(each.head));
  const isAhead = ({ priority }: { priority: number }) => priority > 0;
  return [
    ...rest(others.filter(isAhead)),
    ...items.slice(head),
    ...rest(others.filter((each) => !isAhead(each))),
  ];
}

function withoutTaken<L extends { items: unknown[]; head: number }>(lane: L): L {
  if (lane.head >= cutAt && 2 * lane.head >= lane.items.length) {
    lane.items = lane.items.slice(lane.head);
    lane.head = 0;
  }
  return lane;
}

/** All of them, sender by sender; the line is empty then. */
export function takeAll<G extends Waiter>(line: Line<G>): G[] {
  const all = [...line.lanes.values()].flatMap(inOrder);
  line.lanes.clear();
  line.groups = 0;
  line.jobs = 0;
  return all;
}

/** Jobs of one sender that stand in line. */
export const jobsOf = <G extends Waiter>({ lanes }: Line<G>, sender: string): number =>
  lanes.get(sender)?.jobs ?? 0;
