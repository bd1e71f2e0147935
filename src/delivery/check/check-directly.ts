/** A check of an address from the process that asks: no server, no store, and so nothing remembered. */

import type { Config } from '../../config/config.ts';
import type { Address } from '../../mail/address.ts';
import type { Clock } from '../../util/clock.ts';
import { createLog } from '../../util/log.ts';
import { createCheckParts, createHttps, createResolver, createSourceChooser } from '../outbound.ts';
import { createTls } from '../tls/outbound-tls.ts';
import { type AddressCheck, type CheckParts, checkAddress } from './check-address.ts';

export const checkDirectly = (config: Config, address: string, clock: Clock): Promise<AddressCheck> =>
  withCheckParts(config, clock, (parts) => checkAddress(parts, address));

/** Ends what was begun for it when `use` is done. */
export async function withCheckParts<T>(
  config: Config,
  clock: Clock,
  use: (parts: CheckParts) => Promise<T>,
): Promise<T> {
  const ours = new Set(config.domains.map(({ name }) => name));
  // Who has an account is in the store.
  const findOwn = async ({ domain }: Address) => (ours.has(domain) ? ('unclear' as const) : undefined);
  const resolver = await createResolver(config, clock);
  const https = await createHttps(config, resolver, clock);
  const { policies: tls, sts } = createTls(config, { clock, resolver, https, log: createLog('silent') });
  try {
    const sources = createSourceChooser(config);
    return await use(await createCheckParts(config, { resolver, clock, findOwn, tls, sources }));
  } finally {
    await sts.close();
  }
}
