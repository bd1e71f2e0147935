import { describe, expect, test } from 'vitest';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { Remembered } from '../delivery/guard/history.ts';
import { found, good } from '../doctor/finding.ts';
import { sectionOf as sourceSection } from '../doctor/source-section.ts';
import { reportText, sectionText } from './doctor-print.ts';

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
      `    warning  block list list.example: ${silentList.evidence} [blocklist-deaf]`,
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

  test('says first what is to be done: the worst, what is its cause, and once what one record mends', () => {
    const record = 'mx.example.com.  3600  IN  A  192.0.2.1';
    const findings = [
      found('ehlo-no-address', { evidence: 'no A', remedy: 'r', record: 'mx.example.com. A 192.0.2.1' }),
      found('zone-one-server', { evidence: 'ns1 alone', remedy: 'Have a second one.' }),
      found('dmarc-missing', { evidence: 'none', remedy: 'Enter it.' }),
      found('address-missing', { evidence: 'no address', remedy: 'Let it lead here.', record }),
    ];
    const examined = [{ name: 'mx.example.com', verdict: 'v', findings, isDomain: true as const }];
    const [summary, , ...lines] = reportText([{ section: 'this server', examined }]);
    expect(summary).toMatch(/^3 things to look at: 3 errors, 1 warning\. /);
    expect(lines.slice(0, 13)).toEqual([
      'error    mx.example.com: address: no address [address-missing]',
      '         and so: mx.example.com: EHLO name: no A [ehlo-no-address]',
      '         Let it lead here.',
      '         To be entered:',
      record,
      '',
      'error    mx.example.com: DMARC: none [dmarc-missing]',
      '         Enter it.',
      '',
      'warning  mx.example.com: name servers: ns1 alone [zone-one-server]',
      '         Have a second one.',
      '',
      'What these words mean:',
    ]);
    expect(lines.join('\n')).toMatch(/\n {2}EHLO name +the name by which.*\n {2}DMARC +the record/);
    expect(lines).toContain('    error    DMARC: none [dmarc-missing]');
  });

  test('begins with good news, where there are no others', () => {
    const examined = [{ name: 'mx.example.com', verdict: 'all is well', findings: [good('disk', 'free')] }];
    expect(reportText([{ section: 'this machine', examined }])).toEqual([
      'All is well.',
      '',
      'This machine',
      '  mx.example.com: all is well',
      '    good     disk: free',
    ]);
  });
});
