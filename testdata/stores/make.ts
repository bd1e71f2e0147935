/**
 * Makes the store of an earlier version: `node make.ts SOURCE OUT`, where SOURCE is that version's `src/` (git archive
 * COMMIT src package.json). See README.md. What the versions call otherwise is told apart by what is there.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const [source = '', out = ''] = process.argv.slice(2).map((path) => resolve(path));
const { openStore } = await import(join(source, 'store/sqlite/open.ts'));
const { createSpool } = await import(join(source, 'store/spool.ts'));
const { hashPassword } = await import(join(source, 'store/passwords.ts'));

const at = Date.UTC(2026, 10, 1);
const user = 'user@example.com';
/** Long after any test: nothing is given up because of the date. */
const expiresAt = Date.UTC(2200, 0, 1);

const dataDir = `${out}.tmp`;
rmSync(dataDir, { recursive: true, force: true });
const store = await openStore({ dataDir });
await store.addAccounts([{ address: user, passwordHash: await hashPassword('secret'), createdAt: at }]);
await store.setAlias({ address: 'info@example.com', targets: [user] });
await store.writeMemos?.([{ kind: 'test', key: 'kept', value: { since: at } }]);

const job = (queueId: string, number: number, more: object) => ({
  queueId,
  number,
  recipient: user,
  kind: 'local',
  destination: '',
  folder: 'Inbox',
  attempts: 0,
  queuedAt: at,
  nextAttemptAt: at,
  expiresAt,
  ...more,
});
const remote = { recipient: 'friend@example.net', kind: 'remote', destination: 'example.net', folder: undefined };

async function accept(queueId: string, content: object, bytes: number, more: object = {}): Promise<void> {
  const prefix = Buffer.from('Received: from client.example.org by mx.example.com; Sun, 01 Nov 2026 00:00:00 +0000\r\n');
  await store.accept({
    message: {
      queueId,
      acceptedAt: at,
      reversePath: 'sender@example.org',
      prefix,
      content,
      sizeBytes: prefix.length + bytes,
      eightBit: false,
      smtputf8: false,
      failuresTo: 'postmaster',
      messageId: `<${queueId}@example.org>`,
    },
    jobs: [job(queueId, 0, {}), job(queueId, 1, remote)],
    events: [{ at, queueId, event: 'accepted', data: { from: 'sender@example.org', messageId: `<${queueId}@example.org>` } }],
    claimed: false,
    ...more,
  });
}

const text = (name: string) => `Message-ID: <${name}@example.org>\r\nSubject: ${name}\r\n\r\nKept through all versions.\r\n`;
for (const name of ['1SMALL', '2SMALL']) {
  const bytes = Buffer.from(text(name));
  await accept(name, { kind: 'inline', bytes }, bytes.length);
}
const large = Buffer.from(text('3LARGE') + 'A line of a large message.\r\n'.repeat(3000));
// Up to version 3 the spool was no part of the store.
const writer = await (store.spool ?? createSpool(dataDir)).begin('3LARGE');
await writer.write(large);
await accept('3LARGE', await writer.commit(), large.length);

/** Closed, or as a kill leaves it. */
function save(state: 'closed' | 'killed'): void {
  const to = join(out, state);
  for (const part of ['store', 'spool'])
    for (const name of readdirSync(join(dataDir, part))) {
      if (name === 'lock' || name.endsWith('-shm')) continue;
      mkdirSync(join(to, part), { recursive: true });
      writeFileSync(join(to, part, `${name}.gz`), gzipSync(readFileSync(join(dataDir, part, name))));
    }
}

rmSync(out, { recursive: true, force: true });
save('killed');
await store.close();
save('closed');
rmSync(dataDir, { recursive: true });
process.exit(0);
