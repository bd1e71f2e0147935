/** Who may not connect, as operators see and change it. */

import { banNetwork } from '../reception/abuse/ban-network.ts';
import type { Bans } from '../reception/abuse/bans.ts';
import type { Defence } from '../reception/abuse/defence.ts';
import type { Clock } from '../util/clock.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

export type BanOperations = Pick<Admin, 'listBans' | 'addBan' | 'liftBan'>;

export interface BanOperationsParts {
  bans(): Promise<Bans>;
  clock: Clock;
  running?: BanParts | undefined;
}

/** What only a running server knows. */
export type BanParts = Pick<Defence, 'abuseCounts' | 'forgiven'>;

export function banOperations({ bans, clock, running }: BanOperationsParts): BanOperations {
  return {
    async listBans() {
      const counts = running?.abuseCounts();
      return { bans: (await bans()).list(), ...(counts && { counts }) };
    },
    async addBan({ network, until, ...order }) {
      if (until !== undefined && until <= clock.now())
        throw new AdminError('bad-request', 'That is over already. Give a time that is to come.');
      return (await bans()).add({
        ...order,
        network: nameOf(network),
        ...(until !== undefined && { until }),
      });
    },
    async liftBan({ network, by }) {
      const name = nameOf(network);
      const known = await bans();
      running?.forgiven(name);
      if (await known.lift(name, by)) return { lifted: true };
      const within = known.find(network.split('/')[0] ?? '')?.network;
      return { lifted: false, ...(within !== undefined && { within }) };
    },
  };
}

function nameOf(text: string): string {
  const network = banNetwork(text);
  if (network !== undefined) return network;
  const what = `${JSON.stringify(text)} is not an address or a block of addresses. Write it as 192.0.2.1, 192.0.2.0/24 (a /8 at most) or 2001:db8::/32 (a /16 at most).`;
  throw new AdminError('bad-request', what);
}
