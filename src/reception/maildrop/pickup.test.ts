import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../config/load.ts';
import { Directory } from '../../queue/directory.ts';
import type { Queue } from '../../queue/queue.ts';
import { dropMessage, maildropDirectory, messageName } from '../../store/drop-message.ts';
import { StoreFullError } from '../../store/errors.ts';
import { temporaryStore } from '../../testing/store.ts';
import { systemClock } from '../../util/clock.ts';
import { createLog } from '../../util/log.ts';
import { Hatch } from './hatch.ts';
import { MaildropPickup } from './pickup.ts';

const ann = 'ann@example.com';

test('who was refused is told once there is room for the letter, and the file stays until then', async () => {
  await using place = await temporaryStore();
  const { store, dataDir } = place;
  await store.addAccounts([{ address: ann, passwordHash: 'x', createdAt: 1 }]);
  const config = await parseConfig(
    `hostname = "example.com"\ndataDir = "${dataDir}"\n[[listener]]\nprotocol = "smtp"\nport = 2525\n[[domain]]\nname = "example.com"\n`,
    join(dataDir, 'posthorn.toml'),
  );
  const from: string[] = [];
  let isFull = true;
  const accept: Queue['accept'] = async (entry) => {
    const { reversePath } = entry.message;
    if (isFull && reversePath === '') throw new StoreFullError('no room', { cause: undefined });
    await store.accept({ ...entry, claimed: false });
    from.push(reversePath);
  };
  const [clock, log] = [systemClock, createLog('silent')];
  const intake = () => ({
    ...{ config, clock, log, store, hostname: 'example.com', headerBytes: 10_000, inlineBytes: 50_000 },
    queue: { accept },
    reportExpansion: async () => undefined,
    directory: new Directory({ store, domains: [{ name: 'example.com' }] }),
    spool: { begin: () => Promise.reject(new Error('small messages only')) },
    signers: new Map(),
    nextQueueId: () => messageName(),
  });
  const pickup = await MaildropPickup.start({ dataDir, clock, log, intake, hatch: new Hatch(intake) });
  const maildrop = maildropDirectory(dataDir);
  const name = messageName();
  const envelope = { from: ann, recipients: [ann, 'nobody@example.com'] };
  await dropMessage(maildrop, name, { envelope, content: Buffer.from('Subject: x\r\n\r\nhello\r\n') });
  await pickup.look();
  await pickup.look();
  expect(from).toEqual([ann]);
  expect(readdirSync(maildrop)).toEqual([name]);
  isFull = false;
  await pickup.look();
  expect(from).toEqual([ann, '']);
  expect(readdirSync(maildrop)).toEqual([]);
  await pickup.stop();
  expect(await store.listMemos('hand-in-refusals')).toEqual([]);
});
