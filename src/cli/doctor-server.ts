/** What `posthorn doctor` asks of the running server, and what it says where that does not answer. */

import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import type { Patience } from '../admin/answer-watch.ts';
import { findServer } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import type { SourceReport } from '../delivery/guard/guard.ts';
import { lookDirectly } from '../delivery/guard/look-directly.ts';
import { found, type Section } from '../doctor/finding.ts';
import type { Clock } from '../util/clock.ts';

/** So that there is time left to look ourselves (`doctorMs`). */
const shortPatience = { silenceMs: 10_000, withinMs: 20_000 };

export interface Told {
  sources: readonly SourceReport[];
  accounts: Awaited<ReturnType<Admin['listAccounts']>>;
  /** Why the server that is there says nothing, for people. */
  silence?: string;
}

/** Without a server nothing is asked of its data. */
export async function askServer(
  config: Config,
  clock: Clock,
  patience: Patience = shortPatience,
): Promise<Told> {
  const server = await findServer(config, patience);
  if (server === undefined) return lookOurselves(config, clock);
  try {
    const [sources, accounts] = await Promise.all([server.lookAtSources(), server.listAccounts()]);
    return { sources, accounts };
  } catch (error) {
    if (!(error instanceof AdminError) || error.code !== 'connection') throw error;
    return { ...(await lookOurselves(config, clock)), silence: error.message };
  } finally {
    await server.close();
  }
}

const lookOurselves = async (config: Config, clock: Clock): Promise<Told> => ({
  sources: await lookDirectly(config, clock),
  accounts: [],
});

/** Undefined where it answers, or none runs. */
export function serverSection({ silence }: Told): Section | undefined {
  if (silence === undefined) return undefined;
  const finding = found('server-silent', {
    evidence: silence,
    remedy:
      'See what it does (its log, its state in ps), and restart it. What only it knows was not looked at.',
  });
  const name = 'the running server';
  return {
    section: 'running server',
    examined: [{ name, verdict: 'does not answer', findings: [finding], isDomain: true }],
  };
}
