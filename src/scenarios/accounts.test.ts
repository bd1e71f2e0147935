import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replyText } from '../smtp/reply.ts';
import { maildirPath } from '../store/maildir.ts';
import { storeFiles } from '../store/sqlite/store-files.ts';
import { eventually } from '../testing/eventually.ts';
import { LineConnection } from '../testing/line-connection.ts';
import { fetchByPop3 } from '../testing/pop3-client.ts';
import { sendMail } from '../testing/smtp-client.ts';
import { startWorld, type World } from '../testing/world.ts';

const bob = 'bob@example.com';
const eve = 'eve@example.com';
const content = Buffer.from(`From: ${bob}\r\nSubject: x\r\n\r\nx\r\n`);
const outsider = 'sender@example.net';

let world: World<'example.com' | 'example.net'>;
const com = () => world.servers['example.com'];

beforeAll(async () => {
  world = await startWorld({
    servers: {
      'example.com': { accounts: { [bob]: 'the main one', [eve]: 'of Eve' } },
      'example.net': { accounts: { [outsider]: 'secret' } },
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const authority = () => world.authority.cert;
const fetch = (password: string, user = bob) =>
  fetchByPop3({ endpoint: com().endpoint('pop3s'), authority: authority(), user, password });
const submit = (password: string, user = bob) =>
  sendMail({
    endpoint: com().endpoint('submission'),
    authority: authority(),
    credentials: { user, password },
    from: user,
    recipients: [eve],
    content,
  });

const addAppPassword = async (name: string, scope: 'submission' | 'pop3' | 'both' = 'both') =>
  (await com().withAdmin((admin) => admin.addAppPassword({ address: bob, name, scope }))).password;

/** A POP3 session that has logged in; `ended` resolves to what it is told when it is over. */
async function openSession(password: string) {
  const endpoint = com().endpoint('pop3s');
  const connection = await LineConnection.open(endpoint);
  await connection.startTls({ host: endpoint.host, authority: authority() });
  await connection.line();
  for (const command of [`USER ${bob}`, `PASS ${password}`]) {
    connection.write(`${command}\r\n`);
    expect(await connection.line()).toMatch(/^\+OK/);
  }
  return { connection, ended: () => connection.line() };
}

/** What mail from outside is answered. */
async function receive(to: string): Promise<string> {
  const { replies } = await com().receive({ from: outsider, to, content: 'Subject: x\r\n\r\nx\r\n' });
  const answer = replies.get(to);
  return answer === undefined ? '' : replyText(answer);
}

test('an app password opens what it is for, and the dossier names it', async () => {
  const phone = await addAppPassword('phone');
  const printer = await addAppPassword('printer', 'submission');
  const { queueId = '' } = await submit(phone);
  expect((await com().trace(queueId))[0]?.data).toMatchObject({ account: bob, appPassword: 'phone' });
  await fetch(phone);
  await submit(printer);
  await expect(fetch(printer)).rejects.toThrow(/Wrong user or password/);
  await expect(fetch(phone, eve)).rejects.toThrow(/Wrong user or password/);
  await fetch('the main one');
  const list = await com().withAdmin((admin) => admin.listAppPasswords({ address: bob }));
  expect(list).toMatchObject([
    { name: 'phone', scope: 'both', usedAt: expect.any(Number) },
    { name: 'printer', scope: 'submission', usedAt: expect.any(Number) },
  ]);
  expect((list[0]?.usedAt ?? 1) % 3600_000).toBe(0);
});

test('one that is revoked opens nothing, what it has opened ends, and others stay', async () => {
  const tablet = await addAppPassword('tablet');
  const desk = await addAppPassword('desk');
  const { connection, ended } = await openSession(tablet);
  await com().withAdmin((admin) => admin.removeAppPassword({ address: bob, name: 'tablet' }));
  expect(await ended()).toMatch(/^-ERR \[AUTH\] What you logged in with is good no more/);
  await connection[Symbol.asyncDispose]();
  await expect(fetch(tablet)).rejects.toThrow(/Wrong user or password/);
  await fetch(desk);
});

test('a new password ends what the old one has opened, and leaves alone what an app password has', async () => {
  const kept = await addAppPassword('kept');
  const change = (password: string) =>
    com().withAdmin((admin) => admin.setPassword({ address: bob, password }));
  const old = await openSession('the main one');
  await change('the new one');
  expect(await old.ended()).toMatch(/^-ERR \[AUTH\]/);
  await old.connection[Symbol.asyncDispose]();
  await expect(fetch('the main one')).rejects.toThrow(/Wrong user or password/);
  await fetch('the new one');
  const other = await openSession(kept);
  await change('the main one');
  other.connection.write('NOOP\r\nQUIT\r\n');
  expect(await other.ended()).toMatch(/^\+OK/);
  await other.connection[Symbol.asyncDispose]();
});

test('the main password can be kept from mail programs', async () => {
  const laptop = await addAppPassword('laptop');
  const only = (appPasswordsOnly: boolean) =>
    com().withAdmin((admin) => admin.changeSettings({ address: bob, appPasswordsOnly }));
  await only(true);
  await expect(submit('the main one')).rejects.toThrow(/535/);
  await submit(laptop);
  await only(false);
  await submit('the main one');
});

test('nobody logs in to an account that is suspended, its sessions end, and mail for it waits', async () => {
  const { connection, ended } = await openSession('the main one');
  await com().withAdmin((admin) => admin.suspendAccount({ address: bob }));
  expect(await ended()).toMatch(/^-ERR \[AUTH\]/);
  await connection[Symbol.asyncDispose]();
  await expect(fetch('the main one')).rejects.toThrow(/suspended/);
  await expect(submit('the main one')).rejects.toThrow(/535 5\.7\.13/);
  expect(await receive(bob)).toMatch(/^250/);
  await com().withAdmin((admin) => admin.suspendAccount({ address: bob, refusesMail: true }));
  expect(await receive(bob)).toMatch(/^550 5\.2\.1/);
  expect(await com().withAdmin((admin) => admin.resumeAccount({ address: bob }))).toEqual({ resumed: true });
  const files = async () => [...(await com().files(bob)), ...(await com().files(bob, 'Junk'))].length;
  await expect.poll(files).toBeGreaterThan(0);
  await fetch('the main one');
});

test('an account that was removed is hidden, and comes back with all that it had', async () => {
  const phone = await addAppPassword('watch');
  const before = (await fetch(phone)).messages.length;
  const address = bob;
  await com().withAdmin((admin) => admin.removeAccount({ address }));
  expect((await com().withAdmin((admin) => admin.listAccounts())).map((each) => each.address)).toEqual([eve]);
  await expect(fetch('the main one')).rejects.toThrow(/Wrong user or password/);
  expect(await receive(bob)).toMatch(/^550 5\.2\.1/);
  await expect(com().withAdmin((admin) => admin.removeAccount({ address }))).rejects.toThrow(/restore/);
  await expect(com().withAdmin((admin) => admin.addAccount({ address, password: 'x' }))).rejects.toThrow(
    /account restore/,
  );
  await com().withAdmin((admin) => admin.restoreAccount({ address }));
  expect((await fetch(phone)).messages).toHaveLength(before);
  await com().withAdmin((admin) => admin.removeAccount({ address, isUnknown: true }));
  expect(await receive(bob)).toMatch(/^550 5\.1\.1/);
  await com().withAdmin((admin) => admin.restoreAccount({ address }));
});

test('erased, its address is nowhere in the store: who knew whom, its brake and what that holds, dossiers, jobs', async () => {
  const dora = 'dora@example.com';
  const password = 'a secret of hers';
  const to = [eve, outsider];
  const write = (recipients: string[]) =>
    sendMail({
      endpoint: com().endpoint('submission'),
      authority: authority(),
      credentials: { user: dora, password },
      from: dora,
      recipients,
      content: Buffer.from(`From: ${dora}\r\nTo: ${recipients.join(', ')}\r\nSubject: x\r\n\r\nx\r\n`),
    });
  await com().addAccount(dora, password);
  await write(to);
  for (const address of [dora, 'dora+tag@example.com']) expect(await receive(address)).toMatch(/^250/);
  await com().withAdmin(async (admin) => {
    await admin.addAppPassword({ address: dora, name: 'phone', scope: 'both' });
    await admin.changeSettings({ address: dora, hourlyRecipients: 1 });
  });
  await write(to);
  const braked = await com().withAdmin((admin) => admin.listBraked());
  expect(braked).toMatchObject([{ account: dora, held: 2 }]);
  const known = await com().withAdmin((admin) => admin.findSender({ name: dora }));
  expect(known.acquaintances.map(({ recipient }) => recipient)).toContain(dora);
  await eventually(
    async () => {
      const { jobs } = await com().withAdmin((admin) => admin.listQueue({ limit: 100 }));
      return jobs.every(({ memo }) => memo?.held !== undefined) || undefined;
    },
    { explain: () => 'something is still on its way' },
  );

  await com().withAdmin((admin) => admin.removeAccount({ address: dora, now: true }));
  expect(await com().withAdmin((admin) => admin.listBraked())).toEqual([]);
  await com().stop();
  const database = new Database(storeFiles(com().config.dataDir).database);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  expect(tables).toContain('memos');
  const rows = tables.flatMap((table) =>
    database
      .prepare(`SELECT '${table}' AS "table", * FROM ${table}`)
      .all()
      .map((row) => JSON.stringify(row)),
  );
  database.close();
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((row) => /dora/i.test(row))).toEqual([]);
  await com().start();
});

test('erased, nothing is left of it', async () => {
  const maildir = maildirPath(com().config.dataDir, bob);
  expect(existsSync(maildir)).toBe(true);
  const erased = await com().withAdmin((admin) => admin.removeAccount({ address: bob, now: true }));
  expect(erased.eraseAt).toBeLessThanOrEqual(Date.now());
  expect(existsSync(maildir)).toBe(false);
  expect(await com().withAdmin((admin) => admin.trace({ subject: bob, limit: 10 }))).toEqual([]);
  expect(await com().withAdmin((admin) => admin.listRemovedAccounts())).toEqual([]);
  await com().withAdmin((admin) => admin.addAccount({ address: bob, password: 'somebody else' }));
  expect(await com().withAdmin((admin) => admin.listAppPasswords({ address: bob }))).toEqual([]);
  expect((await fetch('somebody else')).messages).toEqual([]);
});
