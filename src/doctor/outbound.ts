/** Whether other mail servers can be reached: many providers block port 25 to the outside until they are asked. */

import type { Dial } from '../smtp/conversation.ts';
import { ConversationError } from '../smtp/conversation.ts';
import { exchangeOf, textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import { type Finding, found, good } from './finding.ts';

export interface OutboundParts {
  looks: DnsLooks;
  dial: Dial;
  /** Domains whose servers are tried; one that answers is enough. */
  domains: readonly string[];
  port: number;
  signal: AbortSignal;
}

const connectMs = 5_000;
/** Of each domain. */
const maxAddresses = 2;

export async function examineOutbound({
  looks,
  dial,
  domains,
  port,
  signal,
}: OutboundParts): Promise<Finding[]> {
  const places = (await Promise.all(domains.map((domain) => placesOf(looks, domain)))).flat();
  if (places.length === 0)
    return [
      found('port25-unknown', {
        evidence: `DNS tells no mail server of ${domains.join(', ')}`,
        remedy: 'Name a domain whose server answers: posthorn doctor --reach DOMAIN.',
      }),
    ];
  const tries = places.map(async ({ host, address }) => {
    try {
      const conversation = await dial({ host, address, port }, { timeoutMs: connectMs, signal });
      conversation.close();
      return { host, address };
    } catch (error) {
      if (!(error instanceof ConversationError)) throw error;
      throw new Error(`${host} (${address}): ${error.message}`, { cause: error });
    }
  });
  try {
    const { host, address } = await Promise.any(tries);
    return [good('port 25 out', `${host} (${address}) answers`)];
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    const reasons = error.errors.map((each) => (each instanceof Error ? each.message : String(each)));
    return [
      found('port25-blocked', {
        evidence: `none of ${places.length} servers answers on port ${port}: ${reasons.slice(0, 2).join('; ')}`,
        remedy:
          'Ask your provider to open port 25 to the outside (often a form in its panel), or send through a relay: [[transport]].',
      }),
    ];
  }
}

async function placesOf(looks: DnsLooks, domain: string) {
  const hosts = textsOf(await looks.resolve(domain, 'MX')).map(exchangeOf);
  const [host] = hosts.filter((each) => each !== '.');
  if (host === undefined) return [];
  const seen = await Promise.all([looks.resolve(host, 'A'), looks.resolve(host, 'AAAA')]);
  // One of each family: either may be blocked alone.
  const firsts = seen.flatMap((each) => textsOf(each).slice(0, 1));
  return firsts.slice(0, maxAddresses).map((address) => ({ host, address }));
}
