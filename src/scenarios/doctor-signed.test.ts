/** The doctor against a zone that is signed, with DANE, in which one thing is wrong: signed anew each time. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { signed } from '../testing/dns-faults/dnssec.ts';
import { dnsFaults } from '../testing/dns-faults.ts';
import { type DoctorStage, startDoctorStage } from '../testing/doctor-stage.ts';
import { alarmsIn, judge } from '../testing/plant-faults.ts';
import { rightZones } from '../testing/right-zones.ts';

let stage: DoctorStage;
beforeAll(async () => {
  stage = await startDoctorStage();
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

const ids = (found: Awaited<ReturnType<DoctorStage['look']>>) =>
  found.map(({ id, evidence }) => `${id}: ${evidence}`);

test('P12: where all is right, and signed, the doctor finds nothing', async () => {
  const model = stage.model();
  signed(model);
  stage.dns.play(model);
  expect(ids(await stage.look())).toEqual([]);
});

const faults = dnsFaults.filter(({ needsUnsigned }) => !needsUnsigned);

test.each(faults.map((fault) => [fault.id, fault.what, fault] as const))(
  'P12: signed: %s: %s',
  async (_, __, fault) => {
    const model = stage.model();
    if (fault.needsIpv6 && model.six === undefined) return;
    signed(model);
    fault.plant(model);
    stage.dns.play(model);
    expect(judge(fault, await stage.look())).toBeUndefined();
  },
);

test.each(rightZones.map((zone) => [zone.what, zone] as const))(
  'P12: signed, no false alarm: %s',
  async (_, zone) => {
    const facts = zone.facts?.(stage.facts) ?? stage.facts;
    const model = stage.model(facts);
    signed(model);
    zone.plant(model);
    stage.dns.play(model);
    expect(ids(alarmsIn(await stage.look({ facts })))).toEqual([]);
  },
);
