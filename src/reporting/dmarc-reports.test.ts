import { expect, test } from 'vitest';
import type { Verdicts } from '../authentication/verdicts.ts';
import type { DmarcTally } from '../dmarc-rpt/tally.ts';
import { parseHeader } from '../mail/header.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { temporaryStore } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import type { SeenMessage } from './dmarc-message.ts';
import { type DmarcReportsParts, memoKind, startDmarcReports } from './dmarc-reports.ts';
import { dayOf } from './domain-day.ts';

function seen(domain: string, address = '192.0.2.1'): SeenMessage {
  const dmarc = {
    result: 'pass',
    domain,
    policyDomain: domain,
    published: { p: 'none', testing: false },
    policies: ['none'],
    aligned: { spf: true, dkim: false },
    record: `v=DMARC1; p=none; rua=mailto:d@${domain}`,
  };
  const verdicts = {
    client: { address, helo: 'x' },
    spf: { result: 'pass', domain, scope: 'mailfrom' },
    dkim: [],
    dmarc,
  };
  return {
    verdicts: verdicts as unknown as Verdicts, // as much of them as is looked at
    reversePath: `a@${domain}`,
    header: parseHeader(Buffer.from('Subject: hello\r\n\r\n')),
    outcome: 'accept',
  };
}

async function counting(more: Partial<DmarcReportsParts> = {}) {
  const clock = fakeClock(Date.UTC(2026, 0, 5, 12));
  const opened = await temporaryStore({ clock });
  const carrier: DmarcReportsParts['carriers']['mailto'] = {
    send: () => Promise.reject(new Error('nothing is sent here')),
    findOut: () => Promise.reject(new Error('nothing is sent here')),
  };
  const reports = await startDmarcReports({
    store: opened.store,
    clock,
    log: createLog('silent'),
    resolver: scriptedResolver({}),
    organization: 'Example Ltd',
    contact: 'postmaster@example.com',
    submitter: 'example.com',
    except: [],
    nextQueueId: () => 'R1',
    carriers: { mailto: carrier, https: carrier },
    ...more,
  });
  return {
    reports,
    clock,
    /** What is in the store, by day and domain. */
    async counted() {
      const memos = await opened.store.listMemos(memoKind);
      return new Map(memos.map((memo) => [memo.key, dayOf<DmarcTally>(memo).tally]));
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

test('DMARC reports: of domains that are excepted, and of those below them, nothing is counted', async () => {
  await using scene = await counting({ except: ['a.example'] });
  for (const domain of ['a.example', 'sub.a.example', 'nota.example', 'b.example'])
    scene.reports.note(seen(domain));
  await scene.reports.stop();
  const domains = [...(await scene.counted()).keys()].map((key) => key.split(' ').at(-1));
  expect(domains.sort()).toEqual(['b.example', 'nota.example']);
});

test('DMARC reports: the rows of a day are limited, and what has none is counted all the same', async () => {
  await using scene = await counting({ maxRows: 6 });
  const { reports } = scene;
  for (const domain of ['a.example', 'b.example', 'c.example'])
    for (const host of [1, 2]) reports.note(seen(domain, `192.0.2.${host}`));
  reports.note(seen('late.example'));
  reports.note(seen('a.example', '192.0.2.3'));
  reports.note(seen('a.example', '192.0.2.1'));
  scene.clock.advance(12 * 3600_000);
  reports.note(seen('late.example'));
  await reports.stop();
  const counted = await scene.counted();
  expect(counted.get('2026-01-05 late.example')).toMatchObject({ rows: [], left: 1 });
  expect(counted.get('2026-01-05 a.example')).toMatchObject({ rows: [{ count: 2 }, { count: 1 }], left: 1 });
  expect(counted.get('2026-01-05 c.example')).toMatchObject({ rows: [{ count: 1 }, { count: 1 }], left: 0 });
  expect(counted.get('2026-01-06 late.example')).toMatchObject({ rows: [{ count: 1 }], left: 0 });
});
