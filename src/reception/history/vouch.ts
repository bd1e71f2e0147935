/**
 * Whether what is known of a domain speaks for a client that comes from elsewhere this time: mail that was proven to be its own has been
 * welcome, and its SPF record names this client, too. Large senders have many networks.
 */

import { parseAddress } from '../../mail/address.ts';
import { reputationOf } from '../../policy/conditions/history.ts';
import { type CheckParts, withLookUps } from '../checks/check-look-ups.ts';
import type { Vouch } from '../greylist/greylist-source.ts';
import type { SenderHistory } from './history.ts';

export const voucher =
  (parts: CheckParts, history: SenderHistory): Vouch =>
  async ({ session: { peer, hello }, transaction: { reversePath } }) => {
    const domain = parseAddress(reversePath)?.domain ?? '';
    if (reputationOf(history.of('domain', domain)) !== 'good') return undefined;
    const { checkSpf } = await import('../../authentication/spf.ts');
    const client = { clientAddress: peer.address, helo: hello?.name ?? '', reversePath };
    const { result, scope } = await withLookUps(parts, (dns) => checkSpf(dns, client));
    return result === 'pass' && scope === 'mailfrom'
      ? `mail that was proven to be of ${domain} has been welcome, and its SPF record names ${peer.address}`
      : undefined;
  };
