/** Is the clock right? Signatures, certificates and retries go by it. Asks timedatectl(1), which knows of any NTP client. */

import type { Machine } from './machine.ts';
import type { StepOutcome } from './step.ts';

/** This program was not made before. */
const earliestMs = Date.UTC(2026, 0, 1);

export async function checkClock({ clock, run }: Pick<Machine, 'clock' | 'run'>): Promise<StepOutcome> {
  const now = new Date(clock.now()).toISOString().slice(0, 19).replace('T', ' ');
  if (clock.now() < earliestMs)
    return { value: undefined, state: 'failed', what: `it is ${now} UTC here, which cannot be`, remedy };
  const answer = await run('timedatectl', 'show', '--property=NTPSynchronized', '--value');
  const isFollowed = answer?.code === 0 ? answer.output.trim() : '';
  if (isFollowed === 'yes')
    return { value: undefined, state: 'good', what: `${now} UTC, kept right by a time server` };
  if (isFollowed === 'no')
    return {
      value: undefined,
      state: 'warning',
      what: `${now} UTC, but no time server keeps it right`,
      remedy,
    };
  return {
    value: undefined,
    state: 'skipped',
    what: `${now} UTC; nobody here knows whether it is kept right`,
  };
}

const remedy = 'Let a time server keep it right: apt install systemd-timesyncd, or chrony.';
