/** How a server is, for whoever watches over it. */

export interface Health {
  /** What is on disk can be relied on; else only a restart helps. */
  live: boolean;
  /** Mail is taken in and sent on, now. */
  ready: boolean;
  /** What is wrong, for people; empty where nothing is. */
  why: readonly string[];
}
