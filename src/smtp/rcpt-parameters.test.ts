import { describe, expect, test } from 'vitest';
import { parseCommand } from './command.ts';
import { checkRcptParameters, originalRecipient, readRcptRequests } from './rcpt-parameters.ts';

function parametersOf(text: string) {
  const command = parseCommand(Buffer.from(`RCPT TO:<a@example.com> ${text}`));
  if (command.verb !== 'RCPT') throw new Error(`not a RCPT command: ${text}`);
  return command.parameters;
}

describe('checkRcptParameters()', () => {
  test.each([
    'NOTIFY=NEVER',
    'NOTIFY=success,FAILURE,Delay',
    'ORCPT=rfc822;Bob+40example.com',
    `ORCPT=rfc822;${'x'.repeat(493)}`,
    'ORCPT=x400;/G=Bob/S=Smith'.replaceAll('=', '+3D').replace('ORCPT+3D', 'ORCPT='),
    'ORCPT=utf-8;b\\x{FC}cher@example.com',
    'ORCPT=utf-8;bücher@example.com NOTIFY=DELAY',
  ])('lets %s pass (RFC 3461 §5.1)', (text) => {
    expect(checkRcptParameters(parametersOf(text))).toBeUndefined();
  });

  test.each([
    ['NOTIFY', 'NOTIFY takes'],
    ['NOTIFY=SOMETIMES', 'NOTIFY takes'],
    ['NOTIFY=NEVER,SUCCESS', 'NOTIFY takes'],
    ['NOTIFY=SUCCESS,SUCCESS', 'NOTIFY takes'],
    ['NOTIFY=SUCCESS,', 'NOTIFY takes'],
    ['ORCPT=bob@example.com', 'ORCPT takes'],
    ['ORCPT=rfc822;', 'ORCPT takes'],
    ['ORCPT=rfc822;bob+4', 'ORCPT takes'],
    ['ORCPT=rfc822;bob+0D+0AX-Forged:+20y', 'ORCPT takes'],
    ['ORCPT=rfc822;bücher@example.com', 'ORCPT takes'],
    ['ORCPT=utf-8;b+FCcher@example.com', 'ORCPT takes'],
    [`ORCPT=rfc822;${'x'.repeat(494)}`, 'ORCPT takes'],
  ])('answers %s with 501 5.5.4 and what to write', (text, words) => {
    const refusal = checkRcptParameters(parametersOf(text));
    expect(refusal).toMatchObject({ code: 501, enhanced: '5.5.4', lines: [expect.stringContaining(words)] });
  });

  test('refuses what is not offered', () => {
    expect(checkRcptParameters(parametersOf('BY=3'))).toMatchObject({ code: 555 });
  });
});

describe('readRcptRequests()', () => {
  test.each([
    ['', undefined],
    ['NOTIFY=SUCCESS,DELAY', { notify: ['success', 'delay'] }],
    ['NOTIFY=NEVER ORCPT=rfc822;a+2Bb@example.com', { notify: ['never'], orcpt: 'rfc822;a+2Bb@example.com' }],
  ])('reads "%s"', (text, requests) => {
    expect(readRcptRequests(parametersOf(text))).toEqual(requests);
  });
});

describe('originalRecipient()', () => {
  test.each([
    ['rfc822;a+2Bb@example.com', { type: 'rfc822', address: 'a+b@example.com' }],
    ['utf-8;\\x{FC}@example.com', { type: 'utf-8', address: '\\x{FC}@example.com' }],
    ['nothing', undefined],
  ])('reads %s', (orcpt, recipient) => {
    expect(originalRecipient(orcpt)).toEqual(recipient);
  });
});
