import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { socketDialler } from '../net/conversation.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { openSession } from './client.ts';
import { sendTransaction } from './client-transaction.ts';
import type { Verdict } from './client-verdict.ts';

const dial = socketDialler({ clock: systemClock });
const content = Buffer.from('Subject: hello\r\n\r\nhi\r\n');
const hello = 'S: 220 store LMTP\nC: LHLO us\nS: 250-store\nS: 250-PIPELINING\nS: 250 ENHANCEDSTATUSCODES';

const brief = (verdict: Verdict): string => {
  if (verdict.by === 'reply') return `${verdict.reply.code} ${verdict.phase}`;
  return `${verdict.by === 'connection' ? verdict.error.kind : verdict.by} ${verdict.phase}`;
};

/** Sends a message to three recipients over LMTP. */
async function play(dialogue: string, byteByByte = false): Promise<string[]> {
  await using peer = await scriptedPeer([`${hello}\n${dialogue}`], { byteByByte });
  const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
  const opening = await openSession(conversation, { ehloName: 'us', protocol: 'lmtp' });
  if (!('session' in opening)) throw new Error('no session');
  const verdicts = await sendTransaction(opening.session, {
    reversePath: 'a@example.com',
    recipients: ['b@example.net', 'c@example.net', 'd@example.net'],
    sizeBytes: content.length,
    smtputf8: false,
    content: () => [content],
  });
  conversation.close();
  await peer.played();
  return verdicts.map(brief);
}

const commands = `C: MAIL FROM:<a@example.com>
  C: RCPT TO:<b@example.net>
  C: RCPT TO:<c@example.net>
  C: RCPT TO:<d@example.net>
  C: DATA
  S: 250 2.1.0 ok`;

describe('LMTP (RFC 2033)', () => {
  it('not-8: has a reply after the final dot for each recipient that was taken, in their order', async () => {
    const dialogue = `${commands}
      S: 250 2.1.5 ok
      S: 550 5.1.1 unknown
      S: 250 2.1.5 ok
      S: 354 go
      C: (message)
      S: 250 2.0.0 <b@example.net> saved
      S: 452 4.2.2 <d@example.net> is full`;
    for (const byteByByte of [false, true])
      expect(await play(dialogue, byteByByte)).toEqual([
        '250 sending end of data',
        '550 sending RCPT TO',
        '452 sending end of data',
      ]);
  });

  it('leaves in doubt only those whose reply is missing', async () => {
    const dialogue = `${commands}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: (message)
      S: 250 2.0.0 saved
      == hang up`;
    expect(await play(dialogue)).toEqual([
      '250 sending end of data',
      'closed sending end of data',
      'closed sending end of data',
    ]);
  });

  it('sends no message where nobody is to get it, and waits for no reply that will not come', async () => {
    const refusals = `${commands}\nS: 550 no\nS: 550 no\nS: 550 no`;
    const refused = ['550 sending RCPT TO', '550 sending RCPT TO', '550 sending RCPT TO'];
    expect(await play(`${refusals}\nS: 503 5.5.1 no valid recipients`)).toEqual(refused);
    expect(await play(`${refusals}\nS: 354 go`)).toEqual(refused);
  });

  it('does not fall back to HELO', async () => {
    await using peer = await scriptedPeer(['S: 220 mx ESMTP\nC: LHLO us\nS: 500 what?']);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    const opening = await openSession(conversation, { ehloName: 'us', protocol: 'lmtp' });
    expect(opening).toMatchObject({ verdict: { by: 'reply', phase: 'sending LHLO' } });
    conversation.close();
  });

  it('speaks over a Unix socket too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-lmtp-'));
    const path = join(directory, 'lmtp');
    const server = createServer((socket) => {
      socket.write('220 store LMTP\r\n');
      socket.once('data', (bytes) => socket.end(`250-${bytes.toString().trim()}\r\n250 PIPELINING\r\n`));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      const conversation = await dial({ host: path, address: path, port: 0 }, { timeoutMs: 1000 });
      const opening = await openSession(conversation, { ehloName: 'us', protocol: 'lmtp' });
      expect('session' in opening && [...opening.session.extensions.keys()]).toEqual(['PIPELINING']);
      conversation.close();
      const missing = dial({ host: 'x', address: join(directory, 'nothing'), port: 0 }, { timeoutMs: 1000 });
      await expect(missing).rejects.toMatchObject({ kind: 'connect' });
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  });
});
