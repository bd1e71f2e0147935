import { describe, expect, test } from 'vitest';
import type { ZoneData } from '../../dns/zone-data.ts';
import type { EventRow } from '../../store/event-store.ts';
import type { ReceptionSetup } from '../../testing/behind-doors.ts';
import { policyOf, type Row } from '../../testing/policies.ts';
import { TestReception } from '../../testing/reception.ts';

const bob = 'bob@example.com';
const content = 'From: a@good.example\r\nSubject: x\r\n\r\nHello.\r\n';

const records: ZoneData = {
  'client.example': { A: ['192.0.2.1'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['client.example'] },
  'good.example': { MX: [[10, 'client.example']] },
  'host.example': { A: ['192.0.2.9'] },
  'only-mx.example': { MX: [[10, 'client.example']] },
  'empty.example': { TXT: ['nothing else'] },
  'null.example': { MX: [[0, '']] },
  'two.0.0.127.bl.example': {},
  '2.0.0.127.bl.example': { A: ['127.0.0.2'] },
  '2.0.0.127.open.example': { A: ['127.0.0.2'] },
  '1.0.0.127.open.example': { A: ['127.0.0.2'] },
  '2.0.0.127.blocked.example': { A: ['127.255.255.254'] },
  'test.dbl.example': { A: ['127.0.1.2'] },
};

const setup = (rows: readonly Row[], more: Partial<ReceptionSetup> = {}): ReceptionSetup => ({
  via: 'smtp',
  accounts: [bob],
  policies: [policyOf(rows)],
  ...more,
  records: { ...records, ...more.records },
});

const judged = (events: readonly EventRow[]) => events.find(({ event }) => event === 'judged')?.data ?? {};

async function received(
  rows: readonly Row[],
  letter: { helo?: string; from?: string },
  more: Partial<ReceptionSetup> = {},
) {
  const reception = new TestReception(setup(rows, more));
  const { helo = 'client.example', from = 'a@good.example' } = letter;
  const [, , , early = ''] = await reception.say(`EHLO ${helo}`, `MAIL FROM:<${from}>`, `RCPT TO:<${bob}>`);
  const reply = early.startsWith('250') ? await reception.send({ from, to: bob, content, helo }) : early;
  const events = [...reception.accepted.flatMap((entry) => entry.events), ...reception.events];
  return { reply, rule: String(judged(events).rule), unknown: judged(events).unknown, reception };
}

describe('helo', () => {
  const rows: readonly Row[] = [
    ['helo:ours', 'reject'],
    ['helo:malformed', 'junk'],
    ['helo:missing', 'score', 7],
  ];

  test.each([
    ['client.example', /^250/, /^Accepted/],
    ['only-mx.example', /^250/, /^Accepted/],
    ['[192.0.2.1]', /^250/, /^Accepted/],
    ['mx.example.com', /^550 .*which is a name of ours/, /a name of ours/],
    ['example.com', /^550 .*which is a name of ours/, /a name of ours/],
    ['[192.0.2.25]', /^550 .*which is not its address/, /not its address/],
    ['localhost', /^250/, /^Junk: the client introduced itself as "localhost", which is no full name/],
    ['192.0.2.1', /^250/, /^Junk: .*no full name/],
    ['nowhere.example', /^250/, /^Junk: the score is 7 of 5: .*a name without addresses/],
  ])('%s', async (helo, reply, rule) => {
    const found = await received(rows, { helo });
    expect(found.reply).toMatch(reply);
    expect(found.rule).toMatch(rule);
  });

  test('where DNS does not answer it is asked back only if that matters', async () => {
    const script = { failures: { 'nowhere.example': 'timeout' } } as const;
    const matters = await received([['helo:bad', 'reject']], { helo: 'nowhere.example' }, { script });
    expect(matters.reply).toMatch(/^451 4\.4\.3/);
    const doesNot = await received([['helo:bad', 'score', 1]], { helo: 'nowhere.example' }, { script });
    expect(doesNot.reply).toMatch(/^250/);
  });
});

describe('sender-domain', () => {
  test.each([
    ['a@good.example', /^250/, /^Accepted/],
    ['a@host.example', /^250/, /^Accepted/],
    ['', /^250/, /^Accepted/],
    ['a@[192.0.2.1]', /^250/, /^Accepted/],
    ['a@empty.example', /^550 .*neither MX nor addresses/, /neither MX nor addresses/],
    ['a@nowhere.example', /^550 .*there is no domain nowhere\.example/, /there is no domain/],
    ['a@null.example', /^550 .*null MX/, /null MX/],
  ])('<%s>', async (from, reply, rule) => {
    const found = await received([['sender-domain:missing', 'reject']], { from });
    expect(found.reply).toMatch(reply);
    expect(found.rule).toMatch(rule);
  });

  test('null-mx alone', async () => {
    const rows: readonly Row[] = [['sender-domain:null-mx', 'reject']];
    expect((await received(rows, { from: 'a@null.example' })).reply).toMatch(/^550/);
    expect((await received(rows, { from: 'a@empty.example' })).reply).toMatch(/^250/);
  });
});

describe('early-talker', () => {
  test.each([
    [true, /^550 5\.7\.1 .*talks before it is greeted/],
    [false, /^250/],
    [undefined, /^250/],
  ])('%s', async (talkedEarly, reply) => {
    const more = talkedEarly === undefined ? {} : { talkedEarly };
    expect((await received([['early-talker', 'reject']], {}, more)).reply).toMatch(reply);
  });
});

describe('iprev', () => {
  test('is there at RCPT where a policy refuses by it', async () => {
    const { reply } = await received([['iprev:permerror', 'reject']], {}, { clientAddress: '192.0.2.77' });
    expect(reply).toMatch(/^550 5\.7\.1 Refused: the reverse name of 192\.0\.2\.77/);
    expect((await received([['iprev:permerror', 'reject']], {})).reply).toMatch(/^250/);
  });
});

describe('spf', () => {
  const zone = {
    'strict.example': { TXT: ['v=spf1 -all exp=why.strict.example'], MX: [[10, 'client.example']] },
    'why.strict.example': { TXT: ['%{r} should call us'] },
    'client.example': { TXT: ['v=spf1 a -all'], A: ['192.0.2.1'] },
  } satisfies ZoneData;
  const factsOf = (reception: TestReception) =>
    [...reception.accepted.flatMap((entry) => entry.events), ...reception.events].map(
      ({ data }) => data.facts,
    );

  test('how the domain explains a failure is for the dossier, and no answer of ours', async () => {
    const from = 'a@strict.example';
    const { reply, reception } = await received([['spf:fail', 'reject']], { from }, { records: zone });
    expect(reply).toMatch(/^550/);
    expect(reply).not.toContain('call us');
    const spf = expect.objectContaining({ result: 'fail', explanation: 'mx.example.com should call us' });
    expect(factsOf(reception)).toContainEqual(expect.objectContaining({ spf }));
  });

  test('of the HELO name is a fact of its own', async () => {
    const { reception } = await received([['spf:fail', 'reject']], {}, { records: zone });
    const spfHelo = expect.objectContaining({ result: 'pass', domain: 'client.example' });
    const spf = expect.objectContaining({ result: 'none', domain: 'good.example' });
    expect(factsOf(reception)).toContainEqual(expect.objectContaining({ spf, spfHelo }));
  });
});

describe('size', () => {
  test.each([
    ['>10', /^550 5\.7\.1 Refused: the message is larger than 10/],
    ['>10K', /^250/],
    ['>1M', /^250/],
  ])('%s', async (size, reply) => {
    expect((await received([[`size:${size}`, 'reject']], {})).reply).toMatch(reply);
  });
});

describe('DNS lists', () => {
  const listed = (code: string, zone = 'bl.example') => ({
    records: { [`1.2.0.192.${zone}`]: { A: [code] } },
  });

  test.each([
    ['dnsbl:bl.example', '127.0.0.2', true],
    ['dnsbl:bl.example=127.0.0.2-11', '127.0.0.4', true],
    ['dnsbl:bl.example=127.0.0.2-11', '127.0.0.12', false],
    ['dnsbl:bl.example=127.0.0.3,127.0.0.12', '127.0.0.12', true],
    ['dnsbl:bl.example=127.0.*.2-3', '127.0.10.3', true],
    ['dnsbl:bl.example=127.0.*.2-3', '127.0.10.1', false],
    ['dnsbl:bl.example', '127.255.255.254', false],
    ['dnsbl:bl.example', '198.51.100.1', false],
  ])('%s, where the answer is %s', async (when, code, isRefused) => {
    const { reply } = await received([[when, 'reject']], {}, listed(code));
    expect(reply).toMatch(isRefused ? /^550 5\.7\.1 Ask bl\.example why/ : /^250/);
  });

  test('IPv6 is asked for by its nibbles', async () => {
    const nibbles = (last: string) => [...`${'0'.repeat(20)}ffff7f00${last}`].reverse().join('.');
    const six = { clientAddress: '2001:db8::1' };
    const entry = [...'20010db8000000000000000000000001'].reverse().join('.');
    const sound = { [`${nibbles('0002')}.bl.example`]: { A: ['127.0.0.2'] } };
    const both = { ...sound, [`${entry}.bl.example`]: { A: ['127.0.0.2'] } };
    const rows: readonly Row[] = [['dnsbl:bl.example', 'reject']];
    expect((await received(rows, {}, { ...six, records: both })).reply).toMatch(/^550/);
    expect((await received(rows, {}, { ...six, records: sound })).reply).toMatch(/^250/);
  });

  test('a list of good ones lets in what would else be refused', async () => {
    const rows: readonly Row[] = [
      ['dnswl:bl.example=127.0.*.1-3', 'accept'],
      ['helo:bad', 'reject'],
    ];
    const letter = { helo: 'localhost' };
    expect((await received(rows, letter, listed('127.0.9.2'))).reply).toMatch(/^250/);
    expect((await received(rows, letter, listed('127.0.9.0'))).reply).toMatch(/^550/);
  });

  test('this machine is on no list, though 127.0.0.2 is what lists are tested by', async () => {
    const rows: readonly Row[] = [['dnsbl:bl.example', 'reject']];
    expect((await received(rows, {}, { clientAddress: '127.0.0.2' })).reply).toMatch(/^250/);
  });

  test('a list of domains is asked about that of the reverse-path', async () => {
    const rows: readonly Row[] = [['rhsbl:dbl.example', 'reject']];
    const bad = { records: { 'good.example.dbl.example': { A: ['127.0.1.4'] } } };
    expect((await received(rows, {}, bad)).reply).toMatch(/^550 .*Ask dbl\.example why/);
    expect((await received(rows, { from: '' }, bad)).reply).toMatch(/^250/);
    expect((await received(rows, {})).reply).toMatch(/^250/);
  });

  test.each([
    ['lists everybody', 'open.example'],
    ['refuses our resolver', 'blocked.example'],
    ['does not list its own test entry', 'gone.example'],
  ])('one that %s counts as unknown, in the dossier and in the log', async (_, zone) => {
    const { reply, unknown, reception } = await received(
      [[`dnsbl:${zone}`, 'reject']],
      {},
      listed('127.0.0.2', zone),
    );
    expect(reply).toMatch(/^250/);
    expect(unknown).toEqual([`${zone} does not answer our resolver as it should`]);
    const told = () => reception.logged.filter(({ msg }) => msg.includes('DNS list'));
    expect(told()).toMatchObject([{ zone, kind: 'ipv4' }]);
    await reception.send({ from: 'a@good.example', to: bob, content });
    expect(told()).toHaveLength(1);
  });

  test('one that does not answer counts as unknown', async () => {
    const script = { failures: { '1.2.0.192.bl.example': 'timeout' } } as const;
    const { reply, unknown } = await received([['dnsbl:bl.example', 'reject']], {}, { script });
    expect(reply).toMatch(/^250/);
    expect(unknown).toEqual(['whether bl.example lists 192.0.2.1 is not known now']);
  });
});

describe('trusted networks', () => {
  test('skip it all', async () => {
    const rows: readonly Row[] = [
      ['early-talker', 'reject'],
      ['helo:bad', 'reject'],
      ['always', 'reject'],
    ];
    const trusted = { trusted: true, talkedEarly: true };
    expect((await received(rows, { helo: 'localhost' }, trusted)).reply).toMatch(/^250/);
  });
});

describe('attachment', () => {
  const attached = (fields: string) =>
    `From: a@good.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${fields}\r\n\r\nx\r\n--b--\r\n`;

  test.each([
    [
      'attachment:exe,scr',
      'Content-Disposition: attachment; filename="photo.jpg.SCR"',
      /^550 5\.7\.1 Refused: attachments of this kind/,
    ],
    ['attachment:programs', 'Content-Disposition: attachment; filename=a.js', /^550/],
    ['attachment:programs', 'Content-Type: application/x-dosexec', /^550/],
    ['attachment:application/pdf', 'Content-Type: application/PDF', /^550/],
    ['attachment:exe', 'Content-Disposition: attachment; filename=exe.txt', /^250/],
    ['attachment:exe', 'Content-Type: text/plain', /^250/],
  ])('%s and %s', async (when, fields, expected) => {
    const reception = new TestReception(setup([[when, 'reject']]));
    expect(await reception.send({ from: 'a@good.example', to: bob, content: attached(fields) })).toMatch(
      expected,
    );
  });

  test('what could not be looked at is unknown', async () => {
    const fields = 'Content-Disposition: attachment; filename=a.zip';
    const reception = new TestReception(setup([['attachment:exe', 'reject']]));
    expect(await reception.send({ from: 'a@good.example', to: bob, content: attached(fields) })).toMatch(
      /^250/,
    );
    const events = reception.accepted.flatMap((entry) => entry.events);
    expect(judged(events).unknown).toEqual([expect.stringContaining('not all was looked at')]);
  });
});
