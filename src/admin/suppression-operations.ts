/** The list of addresses elsewhere that nobody has, as operators see and change it. */

import { type Address, parseAddress } from '../mail/address.ts';
import type { Directory } from '../queue/directory.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import type { Clock } from '../util/clock.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';

export type SuppressionOperations = Pick<
  Admin,
  'listSuppressions' | 'findSuppression' | 'addSuppression' | 'removeSuppression'
>;

export interface SuppressionOperationsParts {
  suppressions(): Promise<Suppressions>;
  directory: Pick<Directory, 'isLocal'>;
  clock: Clock;
}

/** Addresses on one page. */
const maxPage = 1000;

export function suppressionOperations(parts: SuppressionOperationsParts): SuppressionOperations {
  const { suppressions, directory, clock } = parts;
  return {
    async listSuppressions({ after = '', limit }) {
      const rest = (await suppressions()).list().filter(({ address }) => address > after);
      const page = rest.slice(0, Math.min(limit, maxPage));
      const next = rest.length > page.length ? page.at(-1)?.address : undefined;
      return { suppressions: page, ...(next !== undefined && { next }) };
    },
    async findSuppression({ address }) {
      const suppression = (await suppressions()).find(addressOf(address));
      return suppression === undefined ? {} : { suppression };
    },
    async addSuppression({ address, ...order }) {
      const parsed = addressOf(address);
      if (directory.isLocal(parsed.domain)) {
        const what = `${address} is in a domain of this server. To take no mail for it: posthorn account remove, or alias remove`;
        throw new AdminError('bad-request', what);
      }
      if (order.until <= clock.now())
        throw new AdminError('bad-request', 'That is over already. Give a time that is to come.');
      return (await suppressions()).add(parsed, order);
    },
    async removeSuppression({ address, by }) {
      const removed = await (await suppressions()).remove(addressOf(address), by);
      return { removed: removed !== undefined };
    },
  };
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new AdminError(
    'bad-request',
    `${JSON.stringify(text)} is not a mail address. Write it as user@example.com.`,
  );
}
