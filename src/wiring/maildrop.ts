/** The wiring of the maildrop: looked into as long as the server runs, and not loaded where there is none. */

import type { Lasting } from './core.ts';
import type { InForce } from './in-force.ts';

/** Where the configuration wants it at the start. Rejects with the system's error. */
export async function startMaildrop(
  { clock, log }: Pick<Lasting, 'clock' | 'log'>,
  inForce: InForce,
  parts: AsyncDisposableStack,
): Promise<void> {
  const { sendmail, dataDir } = inForce.config;
  if (!sendmail.enabled) return;
  const { MaildropPickup } = await import('../reception/maildrop/pickup.ts');
  const pickup = await MaildropPickup.start({ dataDir, clock, log, intake: () => inForce.edition.intake });
  parts.defer(() => pickup.stop());
}
