import { describe, expect, test } from 'vitest';
import { parseHeader } from '../../mail/header.ts';
import { index, type MemoryMilter, type MilterScript, milterInMemory } from '../../testing/milter.ts';
import { fieldsText } from '../added-fields.ts';
import { Deadline, FilterError } from '../stream.ts';
import type { MilterEnd } from './session.ts';
import { MilterSession } from './session.ts';

const deadline = () => new Deadline(() => 0, { stageMs: 1000, totalMs: 5000 });
const client = { hostname: '[192.0.2.1]', address: '192.0.2.1', port: 4321 };
const path = (address: string, ...parameters: string[]) => ({ path: `<${address}>`, parameters });
const header = 'Subject: a\r\n folded\r\nX-Spam: yes\r\nno field\r\n\r\n';

async function* body(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}

const message = (...pieces: string[]) => ({
  fields: [],
  header: parseHeader(Buffer.from(header)),
  body: body(...pieces),
});

async function wholeMessage(script: MilterScript): Promise<{ milter: MemoryMilter; end: MilterEnd }> {
  const milter = milterInMemory(script);
  const session = await MilterSession.open(milter.stream, deadline());
  await session.mail(path('a@example.net'), {}, deadline());
  await session.recipient(path('b@example.com'), {}, deadline());
  const end = await session.message(message('Hello.\r\n'), {}, deadline());
  return { milter, end };
}

const withEnd = (...words: string[]): MilterScript => ({ answers: { E: [[...words, 'c']] } });

describe('MilterSession', () => {
  test('says everything in order, with its macros', async () => {
    const milter = milterInMemory();
    const session = await MilterSession.open(milter.stream, deadline());
    await session.connect(client, { j: 'mx.example.com', client_addr: '192.0.2.1' }, deadline());
    await session.helo('mail.example.net', {}, deadline());
    await session.mail(path('a@example.net', 'SIZE=5'), { i: 'Q1', mail_addr: 'a@example.net' }, deadline());
    await session.recipient(path('b@example.com'), { rcpt_addr: 'b@example.com' }, deadline());
    const { answer, stage } = await session.message(message('Hel', 'lo.\r\n'), { i: 'Q1' }, deadline());
    await session.quit(1000);
    expect({ answer, stage }).toEqual({ answer: { verdict: 'continue' }, stage: 'end of message' });
    expect(milter.heard).toEqual([
      'O',
      'D Cj|mx.example.com|{client_addr}|192.0.2.1|',
      'C [192.0.2.1]|4\x10\xe1192.0.2.1|',
      'H mail.example.net|',
      'D Mi|Q1|{mail_addr}|a@example.net|',
      'M <a@example.net>|SIZE=5|',
      'D R{rcpt_addr}|b@example.com|',
      'R <b@example.com>|',
      'D Ti|Q1|',
      'T ',
      'L Subject|a\n folded|',
      'L X-Spam|yes|',
      'D Ni|Q1|',
      'N ',
      'B Hel',
      'B lo.\r\n',
      'D Ei|Q1|',
      'E ',
      'Q ',
    ]);
  });

  test('tells a filter the macros that it has asked for, and only these', async () => {
    const milter = milterInMemory({ macros: { 2: '{auth_authen}, i  {nobody}' } });
    const session = await MilterSession.open(milter.stream, deadline());
    await session.mail(path('a@example.net'), { i: 'Q1', mail_addr: 'x', auth_authen: 'me' }, deadline());
    expect(milter.heard).toEqual(['O', 'D M{auth_authen}|me|i|Q1|', 'M <a@example.net>|']);
  });

  test('leaves out what the filter does not want, and awaits no answer where there is none', async () => {
    const noHelo = 0x2;
    const noBody = 0x10;
    const silentHeader = 0x80;
    const spaces = 0x10_0000;
    const { milter } = await wholeMessage({ protocol: noHelo | noBody | silentHeader | spaces });
    expect(milter.heard.filter((line) => /^[HBL]/.test(line))).toEqual([
      'L Subject| a\n folded|',
      'L X-Spam| yes|',
    ]);
  });

  test('cuts the body into pieces of 65,535 octets, and stops where the filter has heard enough', async () => {
    const milter = milterInMemory({ protocol: 0x400, answers: { B: ['c', 's'] } });
    const session = await MilterSession.open(milter.stream, deadline());
    await session.mail(path(''), {}, deadline());
    await session.message(message('a'.repeat(200_000)), {}, deadline());
    expect(milter.heard.filter((line) => line.startsWith('B ')).map((line) => line.length - 2)).toEqual([
      65_535, 65_535,
    ]);
  });

  test.each([
    ['r', { verdict: 'reject' }],
    ['t', { verdict: 'tempfail' }],
    ['d', { verdict: 'discard' }],
    ['a', { verdict: 'accept' }],
    ['f', { verdict: 'tempfail' }],
    ['4', { verdict: 'tempfail' }],
    [
      'y550 5.7.1 100%% spam\0',
      { verdict: 'reject', reply: { code: 550, enhanced: '5.7.1', lines: ['100% spam'] } },
    ],
    ['y421 4.7.0 go\0', { verdict: 'tempfail', reply: { code: 451, enhanced: '4.7.0', lines: ['go'] } }],
    [
      'y554\0',
      { verdict: 'reject', reply: { code: 554, enhanced: '5.7.1', lines: ['Refused by a mail filter'] } },
    ],
    [
      'y550-5.7.1 one\r\n550 5.7.1 two\x07\0',
      { verdict: 'reject', reply: { code: 550, enhanced: '5.7.1', lines: ['one', 'two'] } },
    ],
  ])('reads the answer %j', async (word, answer) => {
    const { end } = await wholeMessage({ answers: { E: [word] } });
    expect(end.answer).toEqual(answer);
  });

  test('stops at the first decision, and drops that message before the next', async () => {
    const milter = milterInMemory({ answers: { L: ['r', 'c'] } });
    const session = await MilterSession.open(milter.stream, deadline());
    await session.mail(path('a@example.net'), {}, deadline());
    const { answer, stage } = await session.message(message('x'), {}, deadline());
    expect({ answer, stage }).toEqual({ answer: { verdict: 'reject' }, stage: 'header' });
    await session.mail(path('c@example.net'), {}, deadline());
    await session.message(message('x'), {}, deadline());
    await session.mail(path('d@example.net'), {}, deadline());
    expect(milter.heard.filter((line) => /^[AME]/.test(line))).toEqual([
      'M <a@example.net>|',
      'A ',
      'M <c@example.net>|',
      'E ',
      'M <d@example.net>|',
    ]);
  });

  test('takes header fields in front of the message', async () => {
    const { end } = await wholeMessage(
      withEnd(
        'hX-Last\0 end\0',
        `i${index(1)}X-Second\0two\nlines\n\n\0`,
        `i${index(0)}X-First\0 one\r\n more\r\n\0`,
        `m${index(1)}X-New\0new\0`,
        `m${index(1)}x-last\0other\0`,
        `m${index(1)}X-New\0\0`,
      ),
    );
    expect(fieldsText(end.changes.fields)).toBe(
      'X-First: one\r\n more\r\nX-Second: two\r\n\tlines\r\nx-last: other\r\n',
    );
    expect(end.changes.notDone).toEqual([]);
  });

  test('says what it does not do: nothing of what was received is changed', async () => {
    const { end } = await wholeMessage(
      withEnd(
        `m${index(1)}Subject\0other\0`,
        `m${index(1)}X-Spam\0\0`,
        'bnew ',
        'bbody',
        'e<x@example.net>\0',
        '+<y@example.net>\0',
        '2<z@example.net>\0NOTIFY=NEVER\0',
        '-<b@example.com>\0',
        'qodd\0',
      ),
    );
    expect(end.changes).toMatchObject({
      fields: [],
      quarantine: 'odd',
      wantsOtherBody: true,
      notDone: [
        'change the header field Subject (number 1)',
        'remove the header field X-Spam (number 1)',
        'replace the body',
        'change the sender to <x@example.net>',
        'add the recipient <y@example.net>',
        'add the recipient <z@example.net>',
        'remove the recipient <b@example.com>',
      ],
    });
  });

  test('waits on while the filter says that it works', async () => {
    const { end } = await wholeMessage({ answers: { E: [['p', 'p', 'r']], M: [['p', 'c']] } });
    expect(end.answer).toEqual({ verdict: 'reject' });
  });

  test.each<[string, MilterScript, string]>([
    ['an unknown word', withEnd('?'), 'it says "?", which means nothing'],
    [
      'a change in the middle',
      { answers: { M: ['hX\0y\0'] } },
      'it says a change (addField) after MAIL, where',
    ],
    ['skip in the middle', { answers: { R: ['s'] } }, 'it says "skip" after RCPT'],
    ['skip that was not agreed', { answers: { B: ['s'] } }, 'it says "skip" after body'],
    ['two answers', { answers: { M: [['c', 'r']] } }, 'it answers before it is asked'],
    ['no reply code', withEnd('y200 fine\0'), 'is no reply to a client'],
    ['a text without an end', withEnd('hX-Y\0z'), 'a text without an end'],
    ['a field that is none', withEnd('hX: y\0z\0'), 'no name of a header field'],
    ['a place that is none', withEnd('m\0\0'), 'without its place'],
    ['a long field', withEnd(`hX\0${'x'.repeat(20_000)}\0`), 'more than 16384 octets'],
    ['many fields', withEnd(...Array(10).fill(`hX\0${'x'.repeat(10_000)}\0`)), 'more than 65536 octets'],
    ['many changes', withEnd(...Array(2000).fill('qx\0')), 'more than 1000 changes'],
    [
      'a giant packet',
      { answers: { E: [Buffer.from('ffffffff41', 'hex')] } },
      'a packet of 4294967295 octets',
    ],
    ['an empty packet', { answers: { E: [Buffer.alloc(4)] } }, 'a packet of 0 octets'],
    ['endless progress', withEnd(...Array(20_000).fill('p')), 'more than 10000 words'],
    [
      'endless progress in the middle',
      { answers: { R: [Array(20_000).fill('p')] } },
      'more than 10000 words',
    ],
    ['an endless body', withEnd(...Array(20_000).fill('bx')), 'more than 10000 words'],
    ['no options', { answers: { O: ['c'] } }, 'its first words are no options'],
    ['short options', { answers: { O: ['O1234'] } }, 'its options have 4 octets'],
    ['an old version', { version: 1 }, 'it speaks version 1'],
    ['an action that was not offered', { actions: 0x8000_0000 }, 'actions 0x80000000'],
    ['a step that was not offered', { protocol: 0x800 }, 'steps 0x800'],
  ])('does not believe %s', async (_, script, problem) => {
    const failed = wholeMessage(script);
    await expect(failed).rejects.toThrow(FilterError);
    await expect(failed).rejects.toMatchObject({ kind: 'lied', message: expect.stringContaining(problem) });
  });

  test.each(['O', 'M', 'R', 'T', 'L', 'N', 'B', 'E'])(
    'notices that nothing comes, or the end, after %s',
    async (letter) => {
      await expect(wholeMessage({ answers: { [letter]: ['hang'] } })).rejects.toMatchObject({
        kind: 'timeout',
      });
      await expect(wholeMessage({ answers: { [letter]: ['close'] } })).rejects.toMatchObject({
        kind: 'down',
      });
    },
  );
});
