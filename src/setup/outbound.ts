/** Can this machine reach port 25 of others? Many providers block it until they are asked. */

import type { Machine } from './machine.ts';
import type { StepOutcome } from './step.ts';

/** Whoever answers will do: a connection is made, and closed again. */
const receivers = ['gmail.com', 'outlook.com', 'yahoo.com'];

export async function checkOutbound({
  resolver,
  reach,
}: Pick<Machine, 'resolver' | 'reach'>): Promise<StepOutcome> {
  const tried: string[] = [];
  for (const receiver of receivers) {
    const address = await firstAddress(receiver, resolver);
    if (address === undefined) continue;
    const trouble = await reach({ address, port: 25 });
    if (trouble === undefined)
      return { value: undefined, state: 'good', what: `open: ${receiver} answers at ${address}` };
    tried.push(`${receiver} at ${address}: ${trouble}`);
  }
  if (tried.length === 0)
    return {
      value: undefined,
      state: 'skipped',
      what: 'cannot be tried: DNS names none of the big receivers',
    };
  return {
    value: undefined,
    state: 'failed',
    what: 'closed: no receiver can be reached, so no mail can be sent',
    details: tried,
    remedy:
      'Ask your hosting provider to open outgoing port 25, or send through a smarthost: [[transport]] in the configuration.',
  };
}

async function firstAddress(domain: string, resolver: Machine['resolver']): Promise<string | undefined> {
  const mx = await resolver.resolve(domain, 'MX');
  if (mx.status !== 'found') return undefined;
  const [best] = mx.records.toSorted((one, other) => one.preference - other.preference);
  const addresses = best && (await resolver.resolve(best.exchange, 'A'));
  return addresses?.status === 'found' ? addresses.records[0] : undefined;
}
