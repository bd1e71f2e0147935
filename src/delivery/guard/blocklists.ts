/** Is an address of ours on a block list? */

import type { LookUps } from '../../authentication/look-ups.ts';
import { addressEntry, askList, auditList } from '../../dns/dns-list.ts';
import type { Finding } from './history.ts';

export async function askBlocklist({ ask }: LookUps, address: string, zone: string): Promise<Finding> {
  const finding = { check: 'blocklist', subject: zone } as const;
  const { entry, kind } = addressEntry(address);
  const [isSound, answer] = await Promise.all([auditList(ask, zone, kind), askList(ask, zone, entry)]);
  if (!isSound)
    return { ...finding, result: 'unknown', evidence: `${zone} does not answer our resolver as it should` };
  const codes = answer.codes.join(', ');
  switch (answer.result) {
    case 'listed':
      return { ...finding, result: 'bad', evidence: `${address} is listed by ${zone} (${codes})` };
    case 'free':
      return { ...finding, result: 'good', evidence: `${address} is not listed by ${zone}` };
    case 'unknown':
      return { ...finding, result: 'unknown', evidence: `whether ${zone} lists ${address} is not known now` };
  }
}
