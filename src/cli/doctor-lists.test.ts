import { expect, test } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { policyOf } from '../testing/policies.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { listSection } from './doctor-lists.ts';
import { sectionText } from './doctor-print.ts';

const resolver = scriptedResolver({
  '2.0.0.127.bl.example': { A: ['127.0.0.2'] },
  '2.0.0.127.blocked.example': { A: ['127.255.255.254'] },
  'test.dbl.example': { A: ['127.0.1.2'] },
});

test('listSection() tells which of the lists that policies name answer our resolver', async () => {
  const policies = [
    policyOf([
      ['dnsbl:bl.example=127.0.0.2', 'reject'],
      ['dnswl:blocked.example', 'accept'],
      ['rhsbl:dbl.example', 'junk'],
    ]),
  ];
  const section = await listSection({ policies }, { resolver, clock: fakeClock() });
  const text = section && sectionText(section).join('\n');
  expect(text).toMatch(
    /bl\.example: is asked about clients\n +good +test entries: its test entries for IPv4 addresses are as/,
  );
  expect(text).toMatch(
    /blocked\.example: counts as unknown\n +warning +DNS list blocked\.example: .*IPv4.* \[list-deaf\]\n/,
  );
  expect(text).toMatch(/dbl\.example: is asked about clients\n +good .*domains/);
});

test('listSection() says nothing where no policy names a list', async () => {
  expect(
    await listSection({ policies: [policyOf([['always', 'junk']])] }, { resolver, clock: fakeClock() }),
  ).toBeUndefined();
});
