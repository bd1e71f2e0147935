/** The doctor against a server and a DNS in which one thing is wrong. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogue } from '../doctor/catalogue.ts';
import { dnsFaults } from '../testing/dns-faults.ts';
import { type DoctorStage, startDoctorStage } from '../testing/doctor-stage.ts';
import { judge } from '../testing/plant-faults.ts';

let stage: DoctorStage;
beforeAll(async () => {
  stage = await startDoctorStage();
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

test('P12: where all is right, the doctor finds nothing', async () => {
  stage.dns.play(stage.model());
  const found = await stage.look();
  expect(found.map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
});

test.each(dnsFaults.map((fault) => [fault.id, fault.what, fault] as const))(
  'P12: %s: %s',
  async (id, _, fault) => {
    const model = stage.model();
    if (fault.needsIpv6 && model.six === undefined) return;
    fault.plant(model);
    stage.dns.play(model);
    const found = await stage.look();
    expect(judge(fault, found)).toBeUndefined();
    const own = found.filter((each) => each.id === id);
    for (const each of own) expect(each).toMatchObject({ remedy: expect.any(String) });
    expect(own[0]?.severity).toBe(fault.severity ?? catalogue[id].severity);
  },
);
