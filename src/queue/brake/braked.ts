/** What is known of an account that is braked, as it is written down, and why it is, in words. */

import type { Memo } from '../../store/memo-store.ts';
import type { Volume } from './volume.ts';

/** What led to it. Survives JSON. */
export interface Braked {
  account: string;
  at: number;
  /** Recipients within an hour, what is allowed, and the most within an hour of the 30 days before. */
  volume: { count: number; limit: number; peak: number };
  /** Of a day's outcomes; given where these were the reason. */
  bounces?: { ended: number; bounced: number };
  clients: Volume['clients'];
  /** Where some of it came by app passwords: which, how many recipients, when last. */
  appPasswords?: Volume['clients'];
  recipients: readonly string[];
  /** Recipients that were held since. */
  held: number;
  /** When user and postmaster were told last. */
  toldAt?: number;
}

/** By whom its jobs are held. */
export const brakeName = 'the account brake';

export const brakedKind = 'braked';

export const brakedMemo = (braked: Braked): Memo => ({
  kind: brakedKind,
  key: braked.account,
  value: braked,
});

/** One line. */
export function reasonOf({ account, volume: { count, limit, peak }, bounces }: Braked): string {
  const why =
    bounces === undefined
      ? `${count} recipients within an hour, more than ${limit} (the most in an hour of the 30 days before was ${peak})`
      : `of ${bounces.ended} recipients within a day, ${bounces.bounced} are addresses that nobody has`;
  return `${why}; if that is right: posthorn account release ${account}`;
}
