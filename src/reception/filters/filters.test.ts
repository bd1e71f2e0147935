import { describe, expect, test } from 'vitest';
import type { FilterInput } from '../../config/filter.ts';
import type { ReceptionSetup } from '../../testing/behind-doors.ts';
import { clamdPeer, rspamdPeer } from '../../testing/filter-peers.ts';
import { bob, eve, filter, filtered, inbound, letter } from '../../testing/filtered-reception.ts';
import { TestReception } from '../../testing/reception.ts';

describe('clamd', () => {
  const withClamd = async (...[answer]: Parameters<typeof clamdPeer>) => {
    const clamd = await clamdPeer(answer);
    const filters = [filter({ kind: 'clamd', timeoutSeconds: 1, totalSeconds: 1 }, clamd.place)];
    return { clamd, reception: new TestReception({ ...inbound, filters }) };
  };

  test('sees the message', async () => {
    const { clamd, reception } = await withClamd('stream: OK\0');
    await using _ = clamd;
    expect(await reception.send(letter)).toMatch(/^250 /);
    expect(clamd.heard).toEqual(['From: a@good.example\r\nSubject: x\r\n\r\nHello.\r\n']);
    expect(filtered((await reception.theMessage()).entry.events)).toMatchObject({
      filters: [{ name: 'clamd', kind: 'clamd' }],
      decision: 'accept',
    });
  });

  test('finds something, and the message is refused', async () => {
    const { clamd, reception } = await withClamd('stream: Eicar-Test-Signature FOUND\0');
    await using _ = clamd;
    expect(await reception.send(letter)).toBe(
      '550 5.7.1 Refused: this message holds malware (Eicar-Test-Signature)',
    );
    expect(filtered(reception.events)).toMatchObject({ filters: [{ malware: 'Eicar-Test-Signature' }] });
  });

  test.each<[string, Parameters<typeof clamdPeer>[0], string]>([
    ['says nothing', (socket) => socket.resume(), 'timeout'],
    ['closes', (socket) => socket.destroy(), 'down'],
    ['makes no sense', 'yes\0', 'lied'],
    ['never ends', (socket) => void socket.write('x'.repeat(100_000)), 'lied'],
    ['has an error', "Can't allocate memory ERROR\0", 'down'],
    ['takes less', 'INSTREAM size limit exceeded. ERROR\0', 'tooLarge'],
  ])('that %s costs no mail', async (_, answer, unknown) => {
    const { clamd, reception } = await withClamd(answer);
    await using _server = clamd;
    expect(await reception.send(letter)).toMatch(/^250 /);
    expect(filtered((await reception.theMessage()).entry.events)).toMatchObject({ filters: [{ unknown }] });
  });
});

describe('rspamd', () => {
  const withRspamd = async (
    answer: Parameters<typeof rspamdPeer>[0],
    input: Partial<FilterInput> = {},
    setup: Partial<ReceptionSetup> = {},
  ) => {
    const rspamd = await rspamdPeer(answer);
    const filters = [filter({ kind: 'rspamd', timeoutSeconds: 1, ...input }, rspamd.place)];
    return { rspamd, reception: new TestReception({ ...inbound, ...setup, filters }) };
  };
  const says = (action: string, score = 7, more: object = {}) => ({
    action,
    score,
    required_score: 15,
    ...more,
  });

  test('is told who the client is, and may add fields', async () => {
    const added = { milter: { add_headers: { 'X-Spam': { value: 'No', order: 0 } } } };
    const { rspamd, reception } = await withRspamd(says('no action', 1.5, added));
    await using _ = rspamd;
    await reception.send({ ...letter, to: [bob, eve] });
    const { text, entry } = await reception.theMessage();
    expect(text).toMatch(/\r\nX-Spam: No\r\nReceived: /);
    expect(rspamd.heard).toEqual(['From: a@good.example\r\nSubject: x\r\n\r\nHello.\r\n']);
    expect(rspamd.fields[0]?.slice(0, 12)).toEqual([
      'IP',
      '192.0.2.1',
      'Hostname',
      'client.example',
      'Helo',
      'client.example',
      'From',
      'a@good.example',
      'Rcpt',
      bob,
      'Rcpt',
      eve,
    ]);
    expect(filtered(entry.events)).toMatchObject({
      filters: [{ action: 'no action', score: 1.5, required: 15, added: ['X-Spam'] }],
    });
  });

  test.each([
    ['reject', /^550 5\.7\.1 Refused: this message looks like spam$/],
    ['soft reject', /^451 4\.7\.1 /],
    ['add header', /^250 /],
    ['greylist', /^250 /],
  ])('says %s', async (action, reply) => {
    const { rspamd, reception } = await withRspamd(says(action));
    await using _ = rspamd;
    expect(await reception.send(letter)).toMatch(reply);
    if (action === 'add header') expect(reception.accepted[0]?.jobs).toMatchObject([{ folder: 'Junk' }]);
    if (action === 'greylist') expect(reception.accepted[0]?.jobs).toMatchObject([{ folder: 'Inbox' }]);
  });

  test.each<[string, Parameters<typeof rspamdPeer>[0], string]>([
    ['says nothing', () => undefined, 'timeout'],
    ['trickles', (_, response) => void response.write('{"action":'), 'timeout'],
    [
      'talks for ever',
      (_, response) => {
        const more = () => {
          while (response.write('x'.repeat(100_000)));
          response.once('drain', more);
        };
        more();
      },
      'lied',
    ],
    ['breaks off', (_, response) => void response.destroy(), 'down'],
    ['answers 503', (_, response) => void response.writeHead(503).end('busy'), 'down'],
    ['makes no sense', { hello: 1 }, 'lied'],
  ])('that %s costs no mail', async (_, answer, unknown) => {
    const { rspamd, reception } = await withRspamd(answer);
    await using _server = rspamd;
    expect(await reception.send(letter)).toMatch(/^250 /);
    expect(filtered((await reception.theMessage()).entry.events)).toMatchObject({ filters: [{ unknown }] });
  });

  test('sees what our own users send where it is to, and may refuse it', async () => {
    const submission: Partial<ReceptionSetup> = { via: 'submission', account: bob };
    const own = { from: bob, to: eve, content: `From: ${bob}\r\nSubject: x\r\n\r\nHello.\r\n` };
    for (const [wanted, reply] of [
      [false, /^250 /],
      [true, /^550 /],
    ] as const) {
      const { rspamd, reception } = await withRspamd(says('reject'), { submission: wanted }, submission);
      await using _ = rspamd;
      expect(await reception.send(own)).toMatch(reply);
      expect(rspamd.fields).toHaveLength(wanted ? 1 : 0);
    }
  });
});
