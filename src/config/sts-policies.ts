/** Which MTA-STS policy each domain of ours has (RFC 8461): for the web listeners that serve it, and for the record that names it. */

import type { StsPolicy } from '../mta-sts/policy.ts';
import type { Config } from './config.ts';
import type { DomainConfig } from './receiving.ts';
import type { MtaStsConfig } from './web.ts';

/** What the domain has where nothing is set: senders report what would fail, and deliver all the same. */
const byDefault: MtaStsConfig = { mode: 'testing' };

/** RFC 8461 §3.2 has it in the range of weeks, against those who hide the policy; what is tried out is to be changed soon. */
const maxAgeDays = { enforce: 14, testing: 1, none: 1 } as const;

const daySeconds = 24 * 3600;

export function stsPolicyOf(
  { hostname, domains }: Pick<Config, 'hostname' | 'domains'>,
  domain: DomainConfig,
): StsPolicy {
  const other = domains.find(({ name }) => name === domain.aliasOf);
  const { mode, mx = [hostname], maxAgeDays: days } = domain.mtaSts ?? other?.mtaSts ?? byDefault;
  return { mode, mx, maxAge: (days ?? maxAgeDays[mode]) * daySeconds };
}
