import { describe, expect, test } from 'vitest';
import { reply } from '../smtp/reply.ts';
import { eventually } from '../testing/eventually.ts';
import { serverAndReceiver } from '../testing/server-and-receiver.ts';

const hour = 3600_000;
const sender = 'sender@example.com';
const postmaster = 'boss@example.com';
const strangers = '127.0.0.21';

let letters = 0;

const scene = serverAndReceiver({
  strangers,
  accounts: [sender, postmaster],
  settings: {
    domain: [{ name: 'example.com', postmaster }],
    // The same address is refused again and again here, and is to be asked for each time.
    suppression: { enabled: false },
  },
  receiverPerTest: true,
});

const server = () => scene.server;

/** Submits a letter to these people of example.net; resolves to its queue id. */
async function submit(...names: string[]): Promise<string> {
  letters++;
  const to = names.map((name) => `${name}@example.net`);
  const { queueId = '' } = await server().submit({ from: sender, to, subject: `Letter ${letters}` });
  return queueId;
}

/** State of each recipient, once all have been tried. */
async function outcome(queueId: string): Promise<Record<string, string>> {
  const recipients = await server().settled(queueId);
  return Object.fromEntries(recipients.map(({ recipient, state }) => [recipient, state]));
}

/** The newest message of an inbox that holds all this, once it is there. */
const newest = (account: string, ...about: string[]): Promise<string> =>
  eventually(
    async () => {
      const letters = (await server().inbox(account)).map(unfolded);
      return letters.find((letter) => about.every((each) => letter.includes(each)));
    },
    { explain: () => `no letter about ${about.join(', ')} for ${account}` },
  );

const unfolded = (letter: string): string => letter.replace(/\r\n[ \t]+/g, ' ');

/** Lets time pass until the next attempt, and waits until it has been made. */
async function nextAttempt(queueId: string): Promise<void> {
  const before = (await attemptsOf(queueId)) ?? 0;
  scene.clock.advance(7 * hour);
  await eventually(async () => ((await attemptsOf(queueId)) ?? before + 1) > before || undefined, {
    explain: () => `no further attempt of ${queueId}`,
  });
}

/** Undefined when nothing is left in the queue. */
async function attemptsOf(queueId: string): Promise<number | undefined> {
  const { jobs } = await server().withAdmin((admin) => admin.listQueue({ queueId, limit: 10 }));
  return jobs.length === 0 ? undefined : Math.max(...jobs.map(({ attempts }) => attempts));
}

describe('a permanent failure', () => {
  test('P8: not-7: not-17: the sender gets a report with all that the server said, the postmaster a notice', async () => {
    scene.receiver.answers.recipients = {
      'gone@example.net': reply(550, '5.1.1', 'No such user', 'Ask postmaster@example.net'),
    };
    const queueId = await submit('gone');
    expect(await outcome(queueId)).toEqual({ 'gone@example.net': 'failed' });

    const report = await newest(sender, queueId);
    expect(report).toMatch(/^Return-Path: <>\r$/m);
    expect(report).toMatch(/^Content-Type: multipart\/report;/m);
    expect(report).toMatch(/^Auto-Submitted: auto-replied\r$/m);
    expect(report).toMatch(/^Final-Recipient: rfc822;gone@example\.net\r$/m);
    expect(report).toMatch(/^Status: 5\.1\.1\r$/m);
    expect(report).toContain('No such user');
    expect(report).toContain('Ask postmaster@example.net');
    expect(report).toContain(`Subject: Letter ${letters}`);

    const notice = await newest(postmaster, queueId);
    expect(notice).toMatch(/^Auto-Submitted: auto-/m);
    expect(notice).toContain('gone@example.net');
    expect(notice).not.toContain('Hello.');
    const reported = (await server().trace(queueId)).filter(({ event }) => event === 'reported');
    expect(reported.map(({ data }) => data)).toMatchObject([
      { to: sender },
      { to: 'postmaster@example.com' },
    ]);
  });

  test('not-1: a refusal after the final dot is a refusal', async () => {
    scene.receiver.answers.message = reply(554, '5.7.1', 'We do not like this letter');
    const queueId = await submit('ann');
    expect(await outcome(queueId)).toEqual({ 'ann@example.net': 'failed' });
    expect(await newest(sender, queueId)).toContain('We do not like this letter');
  });

  test('not-4: duty-7: a message from the null sender is reported to the postmaster alone', async () => {
    scene.receiver.answers.recipients = { 'gone@example.net': reply(550, '5.1.1', 'No such user') };
    const content = Buffer.from('From: sender@example.com\r\nSubject: an automatic reply\r\n\r\nHello.\r\n');
    const { queueId } = await server().withAdmin((admin) =>
      admin.send({ from: '', recipients: ['gone@example.net'], content }),
    );
    expect(await outcome(queueId)).toEqual({ 'gone@example.net': 'failed' });
    expect(scene.receiver.named).toEqual([['gone@example.net', 550]]);
    const reported = (await server().trace(queueId)).filter(({ event }) => event === 'reported');
    expect(reported.map(({ data }) => data)).toMatchObject([{ to: 'postmaster@example.com' }]);
  });
});

describe('a temporary failure', () => {
  test('P7: not-5: a host that does not answer defers, and the letter arrives when it is back', async () => {
    let queueId = '';
    await scene.withoutReceiver(async () => {
      queueId = await submit('ann');
      expect(await outcome(queueId)).toEqual({ 'ann@example.net': 'deferred' });
    });
    await nextAttempt(queueId);
    expect(await outcome(queueId)).toEqual({ 'ann@example.net': 'delivered' });
    expect(scene.receiver.taken).toHaveLength(1);
  });

  test('P7: the next attempt comes five minutes later, and the dossier says when', async () => {
    scene.receiver.answers.recipients = { 'ann@example.net': reply(451, '4.7.1', 'Greylisted') };
    const queueId = await submit('ann');
    await outcome(queueId);
    const { data } = await server().event(queueId, 'deferred');
    const minutes = ((data.nextAttemptAt ?? 0) - scene.clock.now()) / 60_000;
    expect(Math.abs(minutes - 5)).toBeLessThanOrEqual(0.75 + 0.01);
    expect(data).toMatchObject({
      attempts: 1,
      status: '4.7.1',
      reason: expect.stringContaining('Greylisted'),
    });
    scene.receiver.answers.recipients = {};
    scene.clock.advance(6 * 60_000);
    await server().event(queueId, 'delivered');
  });

  test('not-7: after five days the sender and the postmaster are told, and nothing is tried any more', async () => {
    scene.receiver.answers.recipients = { 'late@example.net': reply(450, '4.2.0', 'Not today') };
    const queueId = await submit('late');
    await outcome(queueId);
    for (let attempts = 1; (await attemptsOf(queueId)) !== undefined; attempts++) {
      expect(attempts).toBeLessThan(40);
      await nextAttempt(queueId);
    }
    expect(await newest(sender, queueId, 'Action: failed\r\n')).toContain('Not today');
    expect(await newest(sender, queueId, 'Action: delayed\r\n')).toContain('Will-Retry-Until: ');
    expect(await newest(postmaster, queueId)).toContain('late@example.net');
    const reported = (await server().trace(queueId)).filter(({ event }) => event === 'reported');
    expect(reported.map(({ data }) => 'kind' in data && data.kind)).toEqual([
      'delay',
      'failure',
      'postmaster',
    ]);
    const tries = scene.receiver.named.length;
    expect(tries).toBeGreaterThan(15);
    scene.clock.advance(24 * hour);
    expect(scene.receiver.named).toHaveLength(tries);
  });
});

describe('several recipients', () => {
  const answers = {
    'gone@example.net': reply(550, '5.1.1', 'No such user'),
    'busy@example.net': reply(450, '4.2.0', 'Mailbox busy'),
  };

  test('not-6: not-8: each has an outcome of its own, and nobody gets the letter twice', async () => {
    scene.receiver.answers.recipients = answers;
    const queueId = await submit('ann', 'gone', 'busy');
    expect(await outcome(queueId)).toEqual({
      'ann@example.net': 'delivered',
      'gone@example.net': 'failed',
      'busy@example.net': 'deferred',
    });
    const report = await newest(sender, queueId);
    expect(report).toMatch(/^Final-Recipient: rfc822;gone@example\.net\r$/m);
    expect(report).not.toMatch(/^Final-Recipient: rfc822;(?:ann|busy)/m);

    scene.receiver.answers.recipients = {};
    await nextAttempt(queueId);
    expect(await outcome(queueId)).toMatchObject({ 'busy@example.net': 'delivered' });
    expect(scene.receiver.taken.map(({ recipients }) => recipients)).toEqual([
      ['ann@example.net'],
      ['busy@example.net'],
    ]);
  });

  test('M10: the dossier shows each of them, with the dialogue', async () => {
    scene.receiver.answers.recipients = answers;
    const queueId = await submit('ann', 'gone');
    await outcome(queueId);
    const { data } = await server().event(queueId, 'attempted');
    const said = data.dialogue.map(([, line]) => line).join('\n');
    expect(said).toContain('C: RCPT TO:<gone@example.net>');
    expect(said).toContain('S: 550 5.1.1 No such user');
    expect(said).toContain('S: 250 2.0.0 Taken');
  });
});

describe('a restart', () => {
  test('P7: the queue goes on where it was', async () => {
    scene.receiver.answers.recipients = { 'ann@example.net': reply(450, '4.2.0', 'Later') };
    const queueId = await submit('ann');
    await outcome(queueId);
    scene.receiver.answers.recipients = {};
    await server().restart();
    expect(scene.receiver.taken).toEqual([]);
    await nextAttempt(queueId);
    expect(scene.receiver.taken).toHaveLength(1);
    expect((await server().trace(queueId)).map(({ event }) => event)).not.toContain('inDoubt');
  });
});
