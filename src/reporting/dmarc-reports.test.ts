import { expect, test } from 'vitest';
import type { Verdicts } from '../authentication/verdicts.ts';
import { parseHeader } from '../mail/header.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { temporaryStore } from '../testing/store.ts';
import { createLog } from '../util/log.ts';
import type { SeenMessage } from './dmarc-message.ts';
import { type DmarcReportsParts, memoKind, startDmarcReports } from './dmarc-reports.ts';

function seen(domain: string): SeenMessage {
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
    client: { address: '192.0.2.1', helo: 'x' },
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

test('DMARC reports: of domains that are excepted, and of those below them, nothing is counted', async () => {
  const clock = fakeClock(Date.UTC(2026, 0, 5, 12));
  await using opened = await temporaryStore({ clock });
  const carrier: DmarcReportsParts['carriers']['mailto'] = {
    send: () => Promise.reject(new Error('the day is not over')),
    findOut: () => Promise.reject(new Error('the day is not over')),
  };
  const reports = await startDmarcReports({
    store: opened.store,
    clock,
    log: createLog('silent'),
    resolver: scriptedResolver({}),
    organization: 'Example Ltd',
    contact: 'postmaster@example.com',
    submitter: 'example.com',
    except: ['a.example'],
    nextQueueId: () => 'R1',
    carriers: { mailto: carrier, https: carrier },
  });
  for (const domain of ['a.example', 'sub.a.example', 'nota.example', 'b.example'])
    reports.note(seen(domain));
  await reports.stop();
  const counted = (await opened.store.listMemos(memoKind)).map(({ key }) => key.split(' ').at(-1)).sort();
  expect(counted).toEqual(['b.example', 'nota.example']);
});
