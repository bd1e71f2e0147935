/** The doctor against servers and zones that are right, and not as this server would write them: it raises no false alarm. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DoctorStage, domain, hostname, startDoctorStage } from '../testing/doctor-stage.ts';
import { alarmsIn } from '../testing/plant-faults.ts';
import { rightZones } from '../testing/right-zones.ts';

type Changes = Parameters<DoctorStage['look']>[0];

const alarms = async (stage: DoctorStage, changes?: Changes) =>
  alarmsIn(await stage.look(changes)).map(({ id, name, evidence }) => `${name}: ${id}: ${evidence}`);

describe('P12: a zone that is right', () => {
  let stage: DoctorStage;
  beforeAll(async () => {
    stage = await startDoctorStage();
  }, 60_000);
  afterAll(() => stage[Symbol.asyncDispose]());

  test.each(rightZones.map((zone) => [zone.what, zone] as const))(
    'P12: no false alarm: %s',
    async (_, zone) => {
      const facts = zone.facts?.(stage.facts) ?? stage.facts;
      const model = stage.model(facts);
      if (zone.needsIpv6 && model.six === undefined) return;
      zone.plant(model);
      stage.dns.play(model);
      expect(await alarms(stage, { facts })).toEqual([]);
    },
  );
});

describe('P12: a server that is right', () => {
  const dkim = { selector: 'posthorn', key: 'dkim.pem' };
  /** `spoil`: of its right zone. */
  const alarmsOf = async (
    settings: Parameters<typeof startDoctorStage>[0],
    families?: Parameters<typeof startDoctorStage>[1],
    change: (model: ReturnType<DoctorStage['model']>) => void = () => {},
  ) => {
    await using stage = await startDoctorStage(settings, families);
    const model = stage.model();
    change(model);
    stage.dns.play(model);
    return await alarms(stage);
  };

  test('P12: no false alarm: IPv4 only', async () => {
    expect(await alarmsOf({}, [4])).toEqual([]);
  });

  test('P12: no false alarm: IPv6 only', async () => {
    expect(await alarmsOf({}, [6])).toEqual([]);
  });

  test('P12: no false alarm: its name is in the zone of somebody else', async () => {
    expect(await alarmsOf({ hostname: 'mx.host.example' })).toEqual([]);
  });

  test('P12: no false alarm: two other hosts take mail, before and after it', async () => {
    const mx = [hostname, '*.backup.example'];
    const settings = { domain: [{ name: domain, dkim, mtaSts: { mode: 'enforce', mx } }] };
    const found = await alarmsOf(settings, undefined, (model) => {
      for (const host of ['a.backup.example', 'b.backup.example'])
        model.world[host] = { A: ['198.51.100.25'] };
      const hosts = [
        [5, 'a.backup.example'],
        [10, hostname],
        [10, 'b.backup.example'],
      ] as const;
      model.zone[domain] = { ...model.zone[domain], MX: hosts, TXT: [`v=spf1 a:${hostname} ~all`] };
    });
    expect(found).toEqual([]);
  });

  test('P12: no false alarm: several domains, one of which has no MTA-STS', async () => {
    const others = [
      { name: 'other.example', dkim, mtaSts: { mode: 'none' } },
      { name: 'third.example', dkim, mtaSts: { mode: 'none' } },
    ];
    const found = await alarmsOf(
      { domain: [{ name: domain, dkim, mtaSts: { mode: 'enforce' } }, ...others] },
      undefined,
      (model) => {
        for (const { name } of others) {
          delete model.world[`_mta-sts.${name}`];
          delete model.world[`mta-sts.${name}`];
        }
      },
    );
    expect(found).toEqual([]);
  });
});
