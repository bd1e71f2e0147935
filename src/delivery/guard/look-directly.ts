/** A look at our own addresses from the process that asks: no server, no store, and so nothing remembered. */

import type { Config } from '../../config/config.ts';
import type { Clock } from '../../util/clock.ts';
import { createLog } from '../../util/log.ts';
import { createStub } from '../outbound.ts';
import { Guard, type SourceReport } from './guard.ts';

export async function lookDirectly(config: Config, clock: Clock): Promise<SourceReport[]> {
  const resolver = await createStub(config, clock);
  return new Guard({ config, resolver, clock, log: createLog('silent') }).look();
}
