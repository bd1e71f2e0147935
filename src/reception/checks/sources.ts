/** All that finds facts, in one list. Which of them are asked follows from the policies (fact-finder.ts). */

import type { Policy } from '../../policy/policy.ts';
import type { Store } from '../../store/store.ts';
import type { Log } from '../../util/log.ts';
import { reportSource } from '../backscatter.ts';
import type { Greylist } from '../greylist/greylist.ts';
import { greylistSource } from '../greylist/greylist-source.ts';
import type { SenderHistory } from '../history/history.ts';
import { historySource } from '../history/history-source.ts';
import { voucher } from '../history/vouch.ts';
import { attachmentSource } from './attachments.ts';
import type { CheckParts } from './check-look-ups.ts';
import { earlyTalkerSource, iprevSource, spfSource } from './client-names.ts';
import { dnsListSource } from './dns-lists.ts';
import type { FactSource } from './fact-source.ts';
import { heloSource } from './helo.ts';
import { senderDomainSource } from './sender-domain.ts';

export interface SourceParts extends CheckParts {
  hostname: string;
  domains: readonly { name: string }[];
  log: Log;
  /** Absent where no dossiers are kept: nobody could say then what was sent from here. */
  sent?: Pick<Store, 'isSentFromHere'> | undefined;
  greylist?: Greylist | undefined;
  history?: SenderHistory | undefined;
}

export const factSources = (parts: SourceParts, policies: readonly Policy[]): FactSource[] => [
  earlyTalkerSource,
  heloSource(parts),
  iprevSource(parts),
  spfSource(parts),
  senderDomainSource(parts),
  dnsListSource(parts, policies),
  attachmentSource(parts),
  ...(parts.history ? [historySource(parts.history)] : []),
  ...(parts.greylist ? [greylistSource(parts.greylist, parts.history && voucher(parts, parts.history))] : []),
  ...(parts.sent ? [reportSource(parts.sent)] : []),
];
