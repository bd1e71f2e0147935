/**
 * Remembers what accounts and aliases were found, and that they were not: every RCPT asks, and an answer by the store
 * thread waits for the commit that is under way. Right as long as this process is the only writer, which the lock sees to.
 */

/** Answers remembered; when there are more, all are forgotten (an address harvester makes them, users do not). */
const capacity = 10_000;

export interface Lookups<Found> {
  find(key: string): Promise<Found | undefined>;
  /** To be called when a change is committed. */
  forget(key: string): void;
}

export function createLookups<Found>(load: (key: string) => Promise<Found | undefined>): Lookups<Found> {
  const remembered = new Map<string, Promise<Found | undefined>>();

  function look(key: string): Promise<Found | undefined> {
    if (remembered.size >= capacity) remembered.clear();
    const answer = load(key);
    remembered.set(key, answer);
    answer.catch(() => {
      if (remembered.get(key) === answer) remembered.delete(key);
    });
    return answer;
  }

  return {
    find: (key) => remembered.get(key) ?? look(key),
    forget: (key) => void remembered.delete(key),
  };
}
