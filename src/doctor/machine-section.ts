/** What is so of this machine, whatever the domains: resolver, way out, clock, disk, mailboxes, configuration. */

import { addressClass } from '../net/addresses.ts';
import type { Examining } from './examining.ts';
import type { Finding, Section } from './finding.ts';
import { verdictOf } from './finding.ts';
import { diskSpace, examineClock, examineDisk } from './machine.ts';
import { examineMailboxFiles } from './mailbox-files.ts';
import { examineOutbound } from './outbound.ts';
import { examineResolver } from './resolver.ts';
import { examineSettings } from './settings.ts';

export async function lookAtMachine(examining: Examining): Promise<Section> {
  const { config, looks, limit, dial, reach, ports, resolvers, nobody } = examining;
  const [{ name: domain } = { name: config.hostname }] = config.domains;
  const resolver = resolvers
    .map(({ address, port }) => (port === 53 ? address : `${address} port ${port}`))
    .join(', ');
  const isLocal = resolvers.every(({ address }) => addressClass(address) === 'loopback');
  const parts = await Promise.all([
    examineResolver({ looks, resolver, isLocal, domain, nobody }),
    reach.length === 0
      ? []
      : examineOutbound({ looks, dial, domains: reach, port: ports.mail, signal: limit }),
    examining.times(looks, limit).then(examineClock),
    lookAtDisk(config.dataDir),
    examineMailboxFiles(config),
    examineSettings(config),
  ]);
  const findings = parts.flat();
  return {
    section: 'this machine',
    examined: [{ name: config.hostname, verdict: verdictOf(findings), findings, isDomain: true }],
  };
}

/** Before the first start there is no data directory. */
async function lookAtDisk(dataDir: string): Promise<Finding[]> {
  try {
    return examineDisk(dataDir, await diskSpace(dataDir));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
