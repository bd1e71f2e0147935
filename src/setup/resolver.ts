/** Does the resolver answer, and does it validate? Without one nothing is sent; without DNSSEC no receiver's DANE is seen. */

import type { Resolver } from '../dns/resolver.ts';
import type { Machine } from './machine.ts';
import type { StepOutcome } from './step.ts';

/** Whose MX records there have been for decades, and are signed. */
const signedDomain = 'ietf.org';

/** The value: whom to ask from now on. Where nobody answers, the steps that follow do not wait for that again. */
export async function checkResolver({
  resolver,
  nameServers,
}: Pick<Machine, 'resolver' | 'nameServers'>): Promise<StepOutcome<Resolver>> {
  const servers = nameServers.join(', ');
  const answer = await resolver.resolve(signedDomain, 'MX');
  if (answer.status === 'failed')
    return {
      value: { resolve: async () => ({ status: 'failed', detail: answer.detail }) },
      state: 'failed',
      what: `DNS does not answer (${servers}): ${answer.detail}`,
      remedy: 'Install a resolver of your own (apt install unbound), and let /etc/resolv.conf name it.',
    };
  if (answer.authentic) return { value: resolver, state: 'good', what: `${servers}; validates (DNSSEC)` };
  return {
    value: resolver,
    state: 'warning',
    what: `${servers} answers, but is not known to validate (DNSSEC): no receiver is held to its DANE records, and block lists may refuse to answer`,
    remedy:
      'Install a resolver of your own (apt install unbound), and let /etc/resolv.conf, or `resolver` in the configuration, name it: 127.0.0.1.',
  };
}
