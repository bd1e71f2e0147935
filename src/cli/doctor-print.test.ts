import { describe, expect, test } from 'vitest';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { Remembered } from '../delivery/guard/history.ts';
import { sectionOf as sourceSection } from '../doctor/source-section.ts';
import { sectionText } from './doctor-print.ts';

const silentList: Remembered = {
  check: 'blocklist',
  subject: 'list.example',
  result: 'unknown',
  evidence: 'list.example does not answer our resolver as it should',
  failures: 0,
};

const report = (address: string, ...findings: Remembered[]): SourceReport => ({
  address,
  publicAddress: address,
  ehloName: 'mx.example.com',
  checkedAt: 0,
  standing: { isFit: true, rank: 0 },
  findings: [
    { check: 'address', subject: '', result: 'good', evidence: `${address} is here`, failures: 0 },
    ...findings,
  ],
});

const guard = { enabled: true, blocklists: ['list.example'] };
const domains = [{ name: 'example.com' }];
const textOf = (reports: readonly SourceReport[], sources: { address: string; senders: string[] }[] = []) =>
  sectionText(sourceSection(reports, { guard, sources, domains }));

describe('posthorn doctor', () => {
  test('says once what is so of every address', () => {
    const addresses = ['192.0.2.1', '192.0.2.2', '2001:db8::1'];
    const sources = addresses.map((address) => ({ address, senders: [] }));
    expect(
      textOf(
        addresses.map((address) => report(address, silentList)),
        sources,
      ),
    ).toEqual([
      'Source addresses',
      ...addresses.flatMap((address) => [
        `  ${address}, called mx.example.com: mail is sent from here`,
        `    good     our own address: ${address} is here`,
      ]),
      '  all addresses:',
      expect.stringContaining(`warning  block list list.example: ${silentList.evidence} [blocklist-deaf]\n`),
    ]);
  });

  test('says with its address what is so of some, or of the only one', () => {
    const some = textOf([report('192.0.2.1', silentList), report('192.0.2.2')]);
    expect(some[3]).toContain('block list list.example');
    expect(some).not.toContain('  all addresses:');
    expect(textOf([report('192.0.2.1', silentList)])).not.toContain('  all addresses:');
  });

  test('claims no use of every address where the system chooses between several', () => {
    const all = [report('192.0.2.1'), report('192.0.2.2'), report('2001:db8::1')];
    const verdicts = sourceSection(all, { guard, sources: [], domains }).examined.map(
      ({ verdict }) => verdict,
    );
    const chosen = expect.stringMatching(
      /^mail is sent from here, where the system chooses it: .*\[\[source\]\]/,
    );
    expect(verdicts).toEqual([chosen, chosen, 'mail is sent from here']);
  });
});
