/**
 * Inside a network: `node doctor-faults.ts CONFIG [signed]`. Puts name servers of its own around the server that is configured there, plants
 * one fault of DNS after the other, in a zone that is signed or not, and lets the doctor look each time. Says what it missed, and how many it found.
 */

import { doctorParts } from '../../src/cli/doctor-parts.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Guard } from '../../src/delivery/guard/guard.ts';
import { diagnose } from '../../src/doctor/diagnose.ts';
import { type PlacedFinding, problemsIn } from '../../src/doctor/watch.ts';
import { stubResolver } from '../../src/net/dns-stub.ts';
import type { RecordFacts } from '../../src/records/wanted-record.ts';
import { signed } from '../../src/testing/dns-faults/dnssec.ts';
import type { Fault } from '../../src/testing/dns-faults/fault.ts';
import { dnsFaults } from '../../src/testing/dns-faults.ts';
import { startDnsStage } from '../../src/testing/dns-stage.ts';
import { alarmsIn, blockList, judge, plantingOf, reachedDomain } from '../../src/testing/plant-faults.ts';
import { rightZones } from '../../src/testing/right-zones.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createLog } from '../../src/util/log.ts';
import { faultPlaces } from './fault-places.ts';

const namePort = 53;
const clock = systemClock;

async function main(file: string, isSigned: boolean): Promise<boolean> {
  const loaded = await loadConfig(file);
  const config = { ...loaded, guard: { enabled: true, blocklists: [blockList] } };
  const resolver = [`${faultPlaces.resolver}:${namePort}`];
  const parts = await doctorParts(config, { clock }, { resolver, namePort, reach: [reachedDomain] });
  const model = (facts = parts.facts) => {
    const right = plantingOf(facts, faultPlaces);
    if (isSigned) signed(right);
    return right;
  };
  await using stage = await startDnsStage(model(), faultPlaces, namePort);
  // The running server asks its own resolver, which knows nothing of what is planted here.
  const stub = stubResolver({ servers: [{ address: faultPlaces.resolver, port: namePort }], clock });
  const sources = () => new Guard({ config, resolver: stub, clock, log: createLog('silent') }).look();
  const times = async () => [{ offsetMs: 0, by: 'this machine' }];
  const look = async (more: { asksRelay: boolean; facts?: RecordFacts }) =>
    problemsIn(await diagnose({ ...parts, sources, times, ...more }));

  const alarms = alarmsIn(await look({ asksRelay: true }));
  tellAlarms('all is right', alarms);
  const zones = rightZones.filter((zone) => applies(zone, parts.facts));
  for (const zone of zones) {
    const facts = zone.facts?.(parts.facts) ?? parts.facts;
    const right = model(facts);
    zone.plant(right);
    stage.play(right);
    const told = alarmsIn(await look({ asksRelay: false, facts }));
    tellAlarms(zone.what, told);
    alarms.push(...told);
  }
  const applicable = dnsFaults.filter(
    (fault) => applies(fault, parts.facts) && !(isSigned && fault.needsUnsigned),
  );
  let found = 0;
  for (const fault of applicable) {
    const planted = model();
    fault.plant(planted);
    stage.play(planted);
    const problem = judge(fault, await look({ asksRelay: false }));
    if (problem === undefined) found += 1;
    else console.log(`${fault.id} (${fault.what}): ${problem}`);
  }
  const words = `${alarms.length} false alarms in ${zones.length + 1} right zones`;
  console.log(`${found} of ${applicable.length} DNS faults found, ${words}`);
  return found === applicable.length && alarms.length === 0;
}

/** A policy that nobody serves cannot be announced wrongly, nor an authority be kept from issuing that is not known. */
const applies = ({ id, needsCaa }: Partial<Fault>, { web, acme }: RecordFacts): boolean =>
  (!id?.startsWith('mta-sts-') || web.includes('mta-sts')) && (!needsCaa || acme !== undefined);

function tellAlarms(where: string, alarms: readonly PlacedFinding[]): void {
  for (const { id, evidence } of alarms) console.log(`where ${where}: ${id}: ${evidence}`);
}

// The pool of connections and the server's control socket have nothing to say any more.
process.exit((await main(process.argv[2] ?? '', process.argv[3] === 'signed')) ? 0 : 1);
