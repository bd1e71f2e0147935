import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSigner } from '../../authentication/dkim-sign.ts';
import type { FailedRecipient } from '../../dsn/failure.ts';
import { Directory } from '../../queue/directory.ts';
import type { MessageRow } from '../../store/message.ts';
import type { NewMessage } from '../../store/queue-store.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { sampleMessage } from '../../testing/store.ts';
import { maxReturnedBytes } from './original.ts';
import { type ReportParts, reportsFor } from './report.ts';

const people = ['sender@example.com', 'boss@example.com', 'boss@example.org'];
const clock = fakeClock();
const { privateKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function parts(changes: Partial<ReportParts> = {}): ReportParts {
  let count = 0;
  const directory = new Directory({
    domains: [
      { name: 'example.com', postmaster: 'boss@example.com' },
      { name: 'example.org', postmaster: 'boss@example.org' },
    ],
    store: {
      findAccount: async (address) =>
        people.includes(address) ? { address, passwordHash: '', createdAt: 0 } : undefined,
      findAlias: async () => undefined,
      firstAccount: async () => undefined,
      listAliases: async () => [],
    },
  });
  return {
    hostname: 'mx.example.com',
    directory,
    signers: new Map(),
    nextQueueId: () => `R${count++}`,
    clock,
    ...changes,
  };
}

const failure: FailedRecipient = {
  recipient: 'ann@example.net',
  status: '5.1.1',
  reason: '550 5.1.1 No such user',
  phase: 'sending RCPT TO',
  rule: '5xx: given up (RFC 5321 §4.2.1)',
  lastAttemptAt: 0,
};

const messageFrom = (reversePath: string, changes: Partial<MessageRow> = {}): MessageRow =>
  sampleMessage('Q1', { message: { reversePath, ...changes } }).message;

const recipientsOf = (entries: Omit<NewMessage, 'claimed'>[]): string[] =>
  entries.flatMap(({ jobs }) => jobs.map(({ recipient }) => recipient));

function textOf(entry: Omit<NewMessage, 'claimed'> | undefined): string {
  const content = entry?.message.content;
  return content?.kind === 'inline' ? content.bytes.toString('utf8') : '';
}

describe('reportsFor()', () => {
  test('P8: duty-7: tells the sender and the postmaster of the domain, both from the null sender', async () => {
    const { entries, events } = await reportsFor(parts(), messageFrom('sender@example.com'), {
      failures: [failure],
    });
    expect(recipientsOf(entries)).toEqual(['sender@example.com', 'boss@example.com']);
    expect(entries.map(({ message }) => message.reversePath)).toEqual(['', '']);
    expect(events).toMatchObject([
      { queueId: 'Q1', event: 'reported', data: { kind: 'failure', report: 'R0' } },
      { queueId: 'Q1', event: 'reported', data: { kind: 'postmaster', report: 'R1' } },
    ]);
    for (const entry of entries) expect(textOf(entry)).toMatch(/^Auto-Submitted: auto-/m);
  });

  test('P8: tells a sender elsewhere, and then the postmaster of our first domain', async () => {
    const { entries } = await reportsFor(parts(), messageFrom('ann@example.net'), { failures: [failure] });
    expect(entries.flatMap(({ jobs }) => jobs)).toMatchObject([
      { recipient: 'ann@example.net', kind: 'remote', destination: 'example.net' },
      { recipient: 'boss@example.com', kind: 'local' },
    ]);
  });

  test('not-4: of a message from the null sender, it tells the postmaster alone', async () => {
    const { entries, events } = await reportsFor(parts(), messageFrom(''), { failures: [failure] });
    expect(recipientsOf(entries)).toEqual(['boss@example.com']);
    expect(textOf(entries[0])).toContain('The sender is not told: it is the null sender');
    expect(events).toMatchObject([{ data: { kind: 'postmaster', rule: expect.stringContaining('null') } }]);
  });

  test('duty-3: of a message whose sender may be forged, it tells the postmaster alone', async () => {
    const forged = messageFrom('ann@example.net', { failuresTo: 'postmaster' });
    const { entries, events } = await reportsFor(parts(), forged, { failures: [failure] });
    expect(recipientsOf(entries)).toEqual(['boss@example.com']);
    expect(textOf(entries[0])).toContain('The sender is not told: nothing proves');
    expect(events).toMatchObject([{ data: { kind: 'postmaster', rule: expect.stringContaining('proves') } }]);
  });

  test('duty-7: tells nobody about its own reports', async () => {
    const { entries } = await reportsFor(parts(), messageFrom('sender@example.com'), { failures: [failure] });
    const [report] = entries;
    expect(report).toBeDefined();
    if (report)
      expect(await reportsFor(parts(), report.message, { failures: [failure] })).toEqual({
        entries: [],
        events: [],
      });
  });

  test('not-7: tells the sender also where the message itself is lost', async () => {
    const content = { kind: 'spool', path: '/dev/null/lost', sizeBytes: 100_000 } as const;
    const { entries } = await reportsFor(parts(), messageFrom('sender@example.com', { content }), {
      failures: [failure],
    });
    expect(recipientsOf(entries)).toEqual(['sender@example.com', 'boss@example.com']);
    expect(textOf(entries[0])).toContain('Received: by mx.example.com\r\n');
  });

  test('P8: reaches a sender whose domain is not ASCII without SMTPUTF8', async () => {
    const { entries } = await reportsFor(parts(), messageFrom('ann@bücher.example'), { failures: [failure] });
    expect(entries[0]).toMatchObject({
      message: { smtputf8: false },
      jobs: [{ recipient: 'ann@xn--bcher-kva.example' }],
    });
  });

  test('tells the postmaster alone where the sender is no longer there', async () => {
    const { entries } = await reportsFor(parts(), messageFrom('gone@example.org'), { failures: [failure] });
    expect(recipientsOf(entries)).toEqual(['boss@example.org']);
  });

  test('gives back the header, our own fields first, and nothing of the body', async () => {
    const { entries } = await reportsFor(parts(), messageFrom('sender@example.com'), { failures: [failure] });
    const text = textOf(entries[0]);
    expect(text).toContain('Received: by mx.example.com\r\nSubject: hello\r\n');
    expect(text).not.toContain('Hello.');
  });

  test('reads no more of a message than its header may have', async () => {
    const bytes = Buffer.from(`${'X-Long: x\r\n'.repeat(100_000)}\r\nHello.`);
    const message = messageFrom('sender@example.com', { content: { kind: 'inline', bytes } });
    const { entries } = await reportsFor(parts(), message, { failures: [failure] });
    expect(textOf(entries[0]).length).toBeLessThan(100_000);
  });

  test("M9: is signed with a key of the host's domain", async () => {
    const signer = createSigner({ domain: 'example.com', selector: 's1', privateKeyPem, clock });
    const signers = new Map([['example.com', signer]]);
    const { entries } = await reportsFor(parts({ signers }), messageFrom('ann@example.net'), {
      failures: [failure],
    });
    for (const { message } of entries) expect(message.prefix.toString()).toMatch(/^DKIM-Signature: /);
  });

  const text = 'Subject: hello\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe, all of them.\r\n';
  const inline = (body: string) => ({ kind: 'inline', bytes: Buffer.from(body, 'latin1') }) as const;
  const returned = async (changes: Partial<MessageRow>) => {
    const original = messageFrom('sender@example.com', { content: inline(text), ...changes });
    const { entries } = await reportsFor(parts(), original, { failures: [failure] });
    return { report: textOf(entries[0]), message: entries[0]?.message };
  };

  test('P8: RET=FULL returns all of a message, in 7 bits (RFC 3461 §4.3)', async () => {
    const { report } = await returned({ requests: { ret: 'full' } });
    expect(report).toContain('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n');
    expect(report).toContain('Gr=FC=DFe, all of them.');
  });

  test.each([
    ['that is larger than a report may be', { sizeBytes: maxReturnedBytes + 1 }],
    ['that cannot be written in 7 bits', { content: inline(`X: \xfc\r\n${text}`) }],
    ['with a line that is too long', { content: inline(`Subject: hello\r\n\r\n${'x'.repeat(999)}\r\n`) }],
    ['that the disk has lost', { content: { kind: 'damaged', sizeBytes: 3 } as const }],
  ])('P8: RET=FULL returns the header only of a message %s', async (_, changes) => {
    const { report } = await returned({ requests: { ret: 'full' }, ...changes });
    expect(report).not.toContain('message/rfc822');
    expect(report).toContain('text/rfc822-headers');
  });

  test('a report about REQUIRETLS mail returns the header only, and asks for the same (RFC 8689 §5)', async () => {
    const { report, message } = await returned({ requests: { ret: 'full', requireTls: true } });
    expect(report).toContain('text/rfc822-headers');
    expect(message?.requests).toEqual({ requireTls: true });
  });

  test('P8: of failures that the sender does not want to hear of, the postmaster alone is told', async () => {
    const unwanted = { ...failure, recipient: 'bob@example.net', unwanted: true } as const;
    const some = await reportsFor(parts(), messageFrom('sender@example.com'), {
      failures: [failure, unwanted],
    });
    expect(textOf(some.entries[0])).not.toContain('bob@example.net');
    expect(textOf(some.entries[1])).toContain('bob@example.net');
    const none = await reportsFor(parts(), messageFrom('sender@example.com'), { failures: [unwanted] });
    expect(recipientsOf(none.entries)).toEqual(['boss@example.com']);
    expect(textOf(none.entries[0])).toContain('it asked for no report');
  });

  const reached = { recipient: 'ann@example.net', action: 'relayed', at: 0 } as const;

  test('tells the sender who asked of success, and no postmaster', async () => {
    const { entries, events } = await reportsFor(parts(), messageFrom('sender@example.com'), {
      reached: [reached],
    });
    expect(recipientsOf(entries)).toEqual(['sender@example.com']);
    expect(textOf(entries[0])).toContain('Action: relayed');
    expect(events).toMatchObject([{ data: { kind: 'success' } }]);
  });

  test.each([
    ['', {}],
    ['ann@example.net', { failuresTo: 'postmaster' }],
  ] as const)(
    'duty-3: tells nobody of success where the sender is "%s", null or unproven',
    async (from, changes) => {
      const { entries } = await reportsFor(parts(), messageFrom(from, changes), { reached: [reached] });
      expect(entries).toEqual([]);
    },
  );

  test('M9: comes from a postmaster of a domain that we sign for, and is signed for it', async () => {
    const signerOf = (domain: string) => createSigner({ domain, selector: 's1', privateKeyPem, clock });
    const signers = new Map(['example.org', 'example.com'].map((domain) => [domain, signerOf(domain)]));
    const from = async (sender: string, changes: Partial<ReportParts>) => {
      const { entries } = await reportsFor(parts(changes), messageFrom(sender), { failures: [failure] });
      const signature = /d=([^;]+);/.exec(entries[0]?.message.prefix.toString() ?? '')?.[1];
      return [/^From: .*<(.*)>/m.exec(textOf(entries[0]))?.[1], signature];
    };
    const sender = 'boss@example.org';
    expect(await from(sender, { signers })).toEqual(['postmaster@example.org', 'example.org']);
    expect(await from('ann@example.net', { signers })).toEqual(['postmaster@example.com', 'example.com']);
    const elsewhere = { signers, hostname: 'mx.elsewhere.example' };
    expect(await from('ann@example.net', elsewhere)).toEqual(['postmaster@example.org', 'example.org']);
    expect(await from(sender, {})).toEqual(['postmaster@example.org', undefined]);
  });

  test('tells the sender of a delay, and no postmaster; nobody, where that is unproven', async () => {
    const delays = [{ ...failure, willRetryUntil: 1 }];
    const { entries, events } = await reportsFor(parts(), messageFrom('sender@example.com'), { delays });
    expect(recipientsOf(entries)).toEqual(['sender@example.com']);
    expect(textOf(entries[0])).toContain('Action: delayed');
    expect(events).toMatchObject([{ data: { kind: 'delay' } }]);
    const forged = messageFrom('ann@example.net', { failuresTo: 'postmaster' });
    expect((await reportsFor(parts(), forged, { delays })).entries).toEqual([]);
  });
});
