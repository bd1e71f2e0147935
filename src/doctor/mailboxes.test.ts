import { expect, test } from 'vitest';
import { seenDns } from '../testing/seen-dns.ts';
import type { Examining } from './examining.ts';
import { reportMailboxes } from './mailboxes.ts';

// Of a configuration, this is all that is looked at.
const config = {
  domains: [{ name: 'example.com' }, { name: 'example.org' }],
} as unknown as Examining['config'];

test('P12: reportMailboxes() are postmaster and abuse of each domain, and those of ours that records send reports to', async () => {
  const looks = seenDns({
    '_dmarc.example.com TXT': ['v=DMARC1; p=none; rua=mailto:reports@example.com,mailto:x@elsewhere.example'],
    '_smtp._tls.example.com TXT': ['v=TLSRPTv1; rua=mailto:tls@example.org'],
    '_dmarc.example.org TXT': ['v=DMARC1; p=none; rua=mailto:postmaster@example.org'],
  });
  expect(await reportMailboxes({ config, looks })).toEqual([
    ...['postmaster@example.com', 'abuse@example.com', 'postmaster@example.org', 'abuse@example.org'],
    ...['reports@example.com', 'tls@example.org'],
  ]);
});
