import { describe, expect, test } from 'vitest';
import { parseCommand } from './command.ts';
import { checkMailParameters, readMailRequests } from './mail-parameters.ts';

function parametersOf(text: string) {
  const command = parseCommand(Buffer.from(`MAIL FROM:<a@example.com> ${text}`));
  if (command.verb !== 'MAIL') throw new Error(`not a MAIL command: ${text}`);
  return command.parameters;
}

const refusalOf = (text: string, inTls = true) =>
  checkMailParameters(parametersOf(text), { messageBytes: 1000, inTls, now: () => 0 });

describe('checkMailParameters()', () => {
  test.each([
    'RET=FULL',
    'RET=hdrs ENVID=QQ314159',
    'ENVID=a+20b+2Bc',
    `ENVID=${'x'.repeat(100)}`,
    `ENVID=${'+41'.repeat(100)}`,
    'REQUIRETLS',
    'SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS',
  ])('lets %s pass (RFC 3461 §5.1)', (text) => {
    expect(refusalOf(text)).toBeUndefined();
  });

  test.each([
    ['RET=BOTH', 'RET takes FULL or HDRS'],
    ['RET', 'RET takes FULL or HDRS'],
    ['ENVID', 'ENVID takes 1 to 100'],
    ['ENVID=a+2', 'ENVID takes 1 to 100'],
    ['ENVID=a+0D+0AX:+20y', 'ENVID takes 1 to 100'],
    ['ENVID=ü', 'ENVID takes 1 to 100'],
    [`ENVID=${'x'.repeat(101)}`, 'ENVID takes 1 to 100'],
    ['REQUIRETLS=yes', 'REQUIRETLS takes no value'],
  ])('answers %s with 501 5.5.4 and what to write', (text, words) => {
    expect(refusalOf(text)).toMatchObject({
      code: 501,
      enhanced: '5.5.4',
      lines: [expect.stringContaining(words)],
    });
  });

  test('takes REQUIRETLS under TLS only (RFC 8689 §2)', () => {
    expect(refusalOf('REQUIRETLS', false)).toMatchObject({ code: 530, enhanced: '5.7.0' });
  });

  test('refuses what is not offered', () => {
    expect(refusalOf('MT-PRIORITY=3')).toMatchObject({ code: 555, enhanced: '5.5.4' });
  });
});

describe('readMailRequests()', () => {
  test.each([
    ['SIZE=3', undefined],
    ['RET=HDRS', { ret: 'headers' }],
    ['RET=full ENVID=a+2Bb+20c REQUIRETLS', { ret: 'full', envid: 'a+b c', requireTls: true }],
  ])('reads %s', (text, requests) => {
    expect(readMailRequests(parametersOf(text))).toEqual(requests);
  });
});
