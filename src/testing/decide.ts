/** What the default policy makes of the sender checks alone, for one recipient. */

import type { ArcVerdict, DkimVerdict, DmarcVerdict, SpfVerdict } from '../authentication/verdicts.ts';
import { type Decision, decide } from '../policy/decide.ts';
import { defaultPolicy } from '../policy/policy.ts';

/** What it looks at of the verdicts. */
interface Found {
  spf: SpfVerdict;
  dkim: readonly DkimVerdict[];
  dmarc: DmarcVerdict;
  arc?: ArcVerdict;
}

export function decideByDefault({ spf, dkim, dmarc, arc }: Found): Decision {
  const client = { address: '192.0.2.1', helo: 'client.example' };
  const found = { spf, dkim, dmarc, ...(arc && { arc }) };
  const facts = { version: 1, client, reversePath: 'sender@other.example', ...found } as const;
  const judged = { facts, recipient: { recipient: 'a@example.com' }, lists: { block: [], allow: [] } };
  return decide([{ policy: defaultPolicy, judged }], { stage: 'message' });
}
