/** How much is kept of MTA-STS policies, how often they are fetched, and who waits for that how long. */

export interface StsLimits {
  /** After a fetch that failed, until the next (RFC 8461 §3.3). */
  backOffMs: number;
  /** A policy is fetched anew when it is as old as this (RFC 8461 §10.2). */
  refreshMs: number;
  /** How often it is looked whether one is. */
  sweepMs: number;
  /** Policies that are kept in memory; the one not sent under for longest goes first, and stays in the store. */
  policies: number;
  /** Domains that are remembered to have none. */
  absences: number;
  /** That there is none is believed for as long as DNS says, and no longer than this. */
  absenceMs: number;
  /** … and where DNS does not answer: so long nobody asks again, and nobody waits for it. */
  silenceMs: number;
  /** Fetches at once, and those that wait for their turn. */
  fetches: number;
  waitingFetches: number;
  /** … and how long they wait for it. Then mail goes on as it would without a policy. */
  turnMs: number;
}

export const defaultStsLimits: StsLimits = {
  backOffMs: 5 * 60_000,
  refreshMs: 24 * 3600_000,
  sweepMs: 3600_000,
  policies: 5000,
  absences: 20_000,
  absenceMs: 3600_000,
  silenceMs: 60_000,
  fetches: 16,
  waitingFetches: 1000,
  turnMs: 60_000,
};
