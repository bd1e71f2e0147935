import { describe, expect, test } from 'vitest';
import type { FilterInput } from '../../config/filter.ts';
import { encodePacket } from '../../filter/milter/packet.ts';
import type { ReceptionSetup } from '../../testing/behind-doors.ts';
import { eventually } from '../../testing/eventually.ts';
import { bob, content, eve, filter, filtered, inbound, letter } from '../../testing/filtered-reception.ts';
import { index, type MilterScript, milterServer, type ScriptedMilter } from '../../testing/milter.ts';
import { TestReception } from '../../testing/reception.ts';

async function withMilter(
  script: MilterScript,
  input: Partial<FilterInput> = {},
  setup: Partial<ReceptionSetup> = {},
) {
  const milter = await milterServer(script);
  const filters = [filter({ kind: 'milter', ...input }, milter.place)];
  return { milter, reception: new TestReception({ ...inbound, ...setup, filters }) };
}

/** The last word goes out after the client has gone. */
const heardQuit = (milter: ScriptedMilter | undefined) =>
  eventually(async () => milter?.heard.includes('Q ') || undefined, {
    explain: () => `it heard ${milter?.heard.join(' ')}`,
  });

describe('a milter', () => {
  test('hears of the client and its message, without what is forged in our name', async () => {
    const { milter, reception } = await withMilter({});
    await using _ = milter;
    expect(await reception.send(letter)).toMatch(/^250 /);
    const [connection] = milter.connections;
    await heardQuit(connection);
    const id = (await reception.theMessage()).entry.message.queueId;
    expect(connection?.heard.filter((line) => !line.startsWith('D '))).toEqual([
      'O',
      'C client.example|4\x10\xe1192.0.2.1|',
      'H client.example|',
      'M <a@good.example>|',
      `R <${bob}>|`,
      'T ',
      'L From|a@good.example|',
      'L Subject|x|',
      'N ',
      'B Hello.\r\n',
      'E ',
      'Q ',
    ]);
    expect(connection?.heard.find((line) => line.startsWith('D M'))).toContain(`i|${id}|`);
    expect(connection?.heard.find((line) => line.startsWith('D C'))).toContain(
      '{client_name}|client.example|',
    );
  });

  test('is one session for several messages, and not dialled for who sends none', async () => {
    const { milter, reception } = await withMilter({});
    await using _ = milter;
    const message = ['MAIL FROM:<a@good.example>', `RCPT TO:<${bob}>`, 'DATA', 'Subject: x', '', 'x', '.'];
    await reception.say('EHLO client.example', 'NOOP', 'QUIT');
    expect(milter.connections).toHaveLength(0);
    await reception.say(
      'EHLO client.example',
      ...message,
      'MAIL FROM:<b@good.example>',
      'RSET',
      ...message,
      'QUIT',
    );
    const [connection, another] = milter.connections;
    await heardQuit(connection);
    expect(another).toBeUndefined();
    expect(connection?.heard.filter((line) => /^[COMAEQ]/.test(line)).join(' ')).toMatch(
      /^O C [^ ]+ M <a@good\.example>\| E {2}M <b@good\.example>\| A {2}M <a@good\.example>\| E {2}Q $/,
    );
  });

  test.each<[string, MilterScript, string]>([
    ['the connection', { answers: { C: ['r'] } }, '550 5.7.1 Refused by the mail filter milter'],
    ['HELO', { answers: { H: ['t'] } }, '451 4.7.1 Not taken now by the mail filter milter; try again later'],
    ['MAIL', { answers: { M: ['y553 5.1.8 no\0'] } }, '553 5.1.8 no'],
  ])('refuses the sender for %s', async (_, script, answer) => {
    const { milter, reception } = await withMilter(script);
    await using _server = milter;
    const replies = await reception.say('EHLO x', 'MAIL FROM:<a@good.example>', 'MAIL FROM:<b@good.example>');
    expect(replies.slice(2)).toEqual([answer, answer]);
    expect(reception.events).toMatchObject([
      {
        event: 'refused',
        data: { from: 'a@good.example', to: [], reply: answer, rule: expect.stringMatching(/^milter: /) },
      },
      { event: 'refused', data: { from: 'b@good.example' } },
    ]);
  });

  test('refuses a recipient, and the others get the message', async () => {
    const { milter, reception } = await withMilter({ answers: { R: ['y550 5.7.1 not her\0', 'c'] } });
    await using _ = milter;
    expect(await reception.send({ ...letter, to: [eve, bob] })).toMatch(/^250 /);
    expect(reception.accepted[0]?.jobs.map(({ recipient }) => recipient)).toEqual([bob]);
    const rule = 'milter: refuses it at RCPT, "550 not her"';
    expect(reception.events).toMatchObject([{ event: 'refused', data: { to: [eve], rule } }]);
  });

  test('refuses a message in its own words, and the dossier has them', async () => {
    const { milter, reception } = await withMilter({ answers: { E: ['y554 5.7.1 no viagra\0'] } });
    await using _ = milter;
    expect(await reception.send(letter)).toBe('554 5.7.1 no viagra');
    expect(reception.events.map(({ event }) => event)).toEqual(['refused', 'checked', 'judged']);
    expect(filtered(reception.events)).toMatchObject({
      decision: 'reject',
      filters: [
        { name: 'milter', verdict: 'reject', stage: 'end of message', durationMs: expect.any(Number) },
      ],
    });
  });

  test('puts fields in front, changes nothing else, and the next one sees them', async () => {
    const first = await milterServer({
      answers: { E: [[`i${index(1)}X-First\0 one\0`, `m${index(1)}Subject\0other\0`, 'c']] },
    });
    const second = await milterServer({ answers: { E: [['hX-Second\0two\0', 'c']] } });
    await using _first = first;
    await using _second = second;
    const filters = [
      filter({ kind: 'milter', name: 'first' }, first.place),
      filter({ kind: 'milter', name: 'second' }, second.place),
    ];
    const reception = new TestReception({ ...inbound, filters });
    await reception.send(letter);
    const { text, entry } = await reception.theMessage();
    expect(text).toMatch(/\r\nX-First: one\r\nX-Second: two\r\nReceived: /);
    expect(text).toContain('Subject: x\r\n\r\nHello.\r\n');
    expect(second.connections[0]?.heard.filter((line) => line.startsWith('L '))[0]).toBe('L X-First|one|');
    expect(filtered(entry.events)).toMatchObject({
      decision: 'accept',
      filters: [
        { name: 'first', added: ['X-First'], notDone: ['change the header field Subject (number 1)'] },
        { name: 'second', added: ['X-Second'] },
      ],
    });
  });

  test.each<[string, MilterScript, RegExp]>([
    [
      'discard',
      { answers: { E: ['d'] } },
      /wants it thrown away \(what is accepted never is\) at end of message/,
    ],
    ['discard at MAIL', { answers: { M: ['d'] } }, /thrown away .* at MAIL/],
    ['quarantine', { answers: { E: [['qodd\0', 'c']] } }, /wants it in quarantine: odd/],
    ['another body', { answers: { E: [['bnew', 'c']] } }, /not done: replace the body/],
  ])('brings a message to Junk by %s', async (_, script, rule) => {
    const { milter, reception } = await withMilter(script);
    await using _server = milter;
    expect(await reception.send(letter)).toMatch(/^250 /);
    const { entry } = await reception.theMessage();
    expect(entry.jobs).toMatchObject([{ folder: 'Junk' }]);
    expect(filtered(entry.events)).toMatchObject({ decision: 'junk', rule: expect.stringMatching(rule) });
  });

  test.each(['O', 'C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E'])(
    'that closes after %s costs no mail, or defers it where that is wanted',
    async (letters) => {
      const { milter, reception } = await withMilter({ answers: { [letters]: ['close'] } });
      await using _ = milter;
      expect(await reception.send(letter)).toMatch(/^250 /);
      const { entry } = await reception.theMessage();
      expect(filtered(entry.events)).toMatchObject({ filters: [{ unknown: 'down', whenDown: 'accept' }] });
      expect(reception.logged).toMatchObject([{ level: 40, filter: 'milter' }]);
      const strict = await withMilter({ answers: { [letters]: ['close'] } }, { whenDown: 'defer' });
      await using _strict = strict.milter;
      const replies = await strict.reception.say(
        'EHLO x',
        'MAIL FROM:<a@good.example>',
        `RCPT TO:<${bob}>`,
        'DATA',
        content.trim(),
        '.',
      );
      expect(replies).toContain('451 4.7.1 The mail filter milter does not answer now; try again later');
      expect(strict.reception.accepted).toEqual([]);
    },
  );

  test('that says nothing is given up in time, and so is one that is busy for ever', async () => {
    const busy: MilterScript = { answers: { E: [Array(50).fill('p')] } };
    for (const script of [{ answers: { E: ['hang'] } }, busy]) {
      const { milter, reception } = await withMilter(script, { timeoutSeconds: 1, totalSeconds: 1 });
      await using _ = milter;
      expect(await reception.send(letter)).toMatch(/^250 /);
      expect(filtered((await reception.theMessage()).entry.events)).toMatchObject({
        filters: [{ unknown: 'timeout' }],
      });
    }
  });

  test('that lies is not believed', async () => {
    const both = Buffer.concat([encodePacket('c'), encodePacket('r')]);
    const { milter, reception } = await withMilter({ answers: { R: [both] } });
    await using _ = milter;
    expect(await reception.send(letter)).toMatch(/^250 /);
    expect(filtered((await reception.theMessage()).entry.events)).toMatchObject({
      filters: [{ unknown: 'lied', problem: 'it answers before it is asked' }],
    });
  });

  test('sees a message to its end whose client has gone meanwhile, and is told then that it has', async () => {
    const { milter, reception } = await withMilter({});
    await using _ = milter;
    const { machine, application } = reception.serve();
    const lines = [
      'EHLO x',
      'MAIL FROM:<a@good.example>',
      `RCPT TO:<${bob}>`,
      'DATA',
      'Subject: x',
      '',
      'x',
      '.',
    ];
    machine.receive(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      const answer = application.handle(event);
      if (event.type === 'message') application.closed();
      machine.reply(await answer);
    }
    await heardQuit(milter.connections[0]);
    expect(milter.connections[0]?.heard.slice(-2)).toEqual(['E ', 'Q ']);
    expect(filtered(reception.accepted[0]?.events ?? [])).toMatchObject({ filters: [{ verdict: 'accept' }] });
  });

  test('that has closed in between is dialled anew', async () => {
    const { milter, reception } = await withMilter({ answers: { E: [['c', 'close'], 'c'] } });
    await using _ = milter;
    const message = ['MAIL FROM:<a@good.example>', `RCPT TO:<${bob}>`, 'DATA', 'Subject: x', '', 'x', '.'];
    const { machine, application } = reception.serve();
    for (const lines of [['EHLO x', ...message], message]) {
      machine.receive(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
      for (let event = machine.next(); event !== undefined; event = machine.next())
        machine.reply(await application.handle(event));
    }
    application.closed();
    expect(milter.connections).toHaveLength(2);
    for (const { events } of reception.accepted)
      expect(filtered(events)).toMatchObject({ filters: [{ verdict: 'accept' }] });
  });

  test('that is to see it refuses and marks also what a trusted network sends', async () => {
    const trusted = { trusted: true } as const;
    const refusing = await withMilter({ answers: { E: ['r'] } }, { submission: true }, trusted);
    await using _refusing = refusing.milter;
    expect(await refusing.reception.send(letter)).toBe('550 5.7.1 Refused by the mail filter milter');
    expect(refusing.reception.events.map(({ event }) => event)).toEqual(['refused', 'filtered']);
    const marking = await withMilter(
      { answers: { E: [['hX-Seen\0yes\0', 'd']] } },
      { submission: true },
      trusted,
    );
    await using _marking = marking.milter;
    expect(await marking.reception.send(letter)).toMatch(/^250 /);
    const { text, entry } = await marking.reception.theMessage();
    expect(text).toMatch(/^X-Seen: yes\r\nReceived: /);
    expect(entry.jobs).toMatchObject([{ folder: 'Inbox' }]);
    expect(entry.events.map(({ event }) => event)).toEqual(['accepted', 'filtered']);
  });

  test('is not shown what is too large for it, nor what a trusted network sends', async () => {
    const small = await withMilter({}, { maxBytes: 10 });
    await using _small = small.milter;
    await small.reception.send(letter);
    const { entry } = await small.reception.theMessage();
    expect(filtered(entry.events)).toMatchObject({ filters: [{ unknown: 'tooLarge' }], decision: 'accept' });
    const trusted = await withMilter({}, {}, { trusted: true });
    await using _trusted = trusted.milter;
    expect(await trusted.reception.send(letter)).toMatch(/^250 /);
    expect(trusted.milter.connections).toEqual([]);
  });
});
