/** A day's report as XML, as the schema of RFC 9990 appendix A has it: elements in its order, none that it does not know. */

import { writeXml, type XmlNode } from '../util/write-xml.ts';
import type { AggregateRecord, AggregateReport, PublishedPolicy } from './report.ts';

export interface WrittenReport extends AggregateReport {
  /** Who wrote it, for those who find a fault in it. */
  generator: string;
}

type Element = XmlNode;

export function writeAggregateReport(report: WrittenReport): string {
  const { organization, email, reportId, beginsAt, endsAt, errors, generator, policy, records } = report;
  const feedback: Element[] = [
    ['version', '1.0'],
    [
      'report_metadata',
      [
        ['org_name', organization],
        ['email', email],
        ['report_id', reportId],
        [
          'date_range',
          [
            ['begin', Math.floor(beginsAt / 1000)],
            ['end', Math.floor(endsAt / 1000)],
          ],
        ],
        ...(errors.length > 0 ? [['error', errors.join('; ')] as const] : []),
        ['generator', generator],
      ],
    ],
    ['policy_published', policyElements(policy)],
    ...records.map((record): Element => ['record', recordElements(record)]),
  ];
  return writeXml(['feedback', feedback, { xmlns: 'urn:ietf:params:xml:ns:dmarc-2.0' }]);
}

function policyElements({ domain, p = 'none', sp, np, adkim, aspf, testing }: PublishedPolicy): Element[] {
  return [
    ['domain', domain],
    ['discovery_method', 'treewalk'],
    ['p', p],
    ...optional('sp', sp),
    ...optional('np', np),
    ...optional('adkim', adkim),
    ...optional('aspf', aspf),
    ...(testing === undefined ? [] : [['testing', testing ? 'y' : 'n'] as const]),
  ];
}

function recordElements(record: AggregateRecord): Element[] {
  const { source, count, disposition, dkimAligned, spfAligned, reasons, headerFrom, envelopeFrom } = record;
  const word = (passed: boolean) => (passed ? 'pass' : 'fail');
  const evaluated: Element[] = [
    ['disposition', disposition],
    ['dkim', word(dkimAligned)],
    ['spf', word(spfAligned)],
    ...reasons.map(
      ({ type, comment }): Element => ['reason', [['type', type], ...optional('comment', comment)]],
    ),
  ];
  const results: Element[] = [
    ...record.dkim.map(
      ({ domain, selector = '', result }): Element => [
        'dkim',
        [
          ['domain', domain],
          ['selector', selector],
          ['result', result],
        ],
      ],
    ),
    ...record.spf.map(
      ({ domain, scope = 'mfrom', result }): Element => [
        'spf',
        [
          ['domain', domain],
          ['scope', scope],
          ['result', result],
        ],
      ],
    ),
  ];
  return [
    [
      'row',
      [
        ['source_ip', source],
        ['count', count],
        ['policy_evaluated', evaluated],
      ],
    ],
    ['identifiers', [['header_from', headerFrom], ...optional('envelope_from', envelopeFrom)]],
    ['auth_results', results],
  ];
}

const optional = (name: string, content: string | undefined): Element[] =>
  content === undefined ? [] : [[name, content]];
