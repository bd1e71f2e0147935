/**
 * The wiring of what users of this machine hand in: the maildrop, looked into as long as the server runs and not loaded where
 * there is none, and the operation by which those hand in who may use the administrator's socket.
 */

import type { Admin } from '../admin/admin.ts';
import { Hatch } from '../reception/maildrop/hatch.ts';
import type { Lasting } from './core.ts';
import type { InForce } from './in-force.ts';

export const openHatch = (inForce: InForce): Hatch => new Hatch(() => inForce.edition.intake);

export function handInOperation(hatch: Hatch): Pick<Admin, 'handIn' | 'heardRefusals'> {
  return {
    async handIn(request) {
      const intake = await hatch.take(request);
      if (intake.kind === 'refused') return { kind: 'refused', because: intake.because, why: intake.why };
      const { queueId, refused } = intake;
      return { kind: 'taken', queueId, refused };
    },
    heardRefusals: ({ queueId }) => hatch.heardRefusals(queueId),
  };
}

/** Where the configuration wants it at the start. Rejects with the system's error. */
export async function startMaildrop(
  { clock, log, hatch }: Pick<Lasting, 'clock' | 'log'> & { hatch: Hatch },
  inForce: InForce,
  parts: AsyncDisposableStack,
): Promise<void> {
  const { sendmail, dataDir } = inForce.config;
  if (!sendmail.enabled) return;
  const { MaildropPickup } = await import('../reception/maildrop/pickup.ts');
  const intake = () => inForce.edition.intake;
  const pickup = await MaildropPickup.start({ dataDir, clock, log, hatch, intake });
  parts.defer(() => pickup.stop());
}
