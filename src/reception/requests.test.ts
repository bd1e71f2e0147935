import { describe, expect, test } from 'vitest';
import { TestReception } from '../testing/reception.ts';

const user = 'user@example.com';
const letter = `From: ${user}\r\nSubject: hi\r\n\r\nHello.`;

/** Submits with these parameters; resolves to what was queued. */
async function submitted(
  mail: string,
  recipients: readonly string[],
  { content = letter, aliases = {} }: { content?: string; aliases?: Record<string, string[]> } = {},
) {
  const reception = new TestReception({ via: 'submission', accounts: [user], aliases, account: user });
  const replies = await reception.say(
    'EHLO c',
    `MAIL FROM:<${user}>${mail}`,
    ...recipients.map((each) => `RCPT TO:${each}`),
    'DATA',
    content,
    '.',
  );
  expect(replies.at(-1)).toMatch(/^250 2\.0\.0 Queued/);
  const { entry } = await reception.theMessage();
  return { message: entry.message, jobs: entry.jobs, reception };
}

describe('what a sender asks for beyond delivery', () => {
  test('is kept with the message and with each recipient (RFC 3461)', async () => {
    const { message, jobs } = await submitted(' RET=HDRS ENVID=QQ+2B1', [
      '<a@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;A+2Bx@example.net',
      '<b@example.net> NOTIFY=NEVER',
      '<c@example.net>',
    ]);
    expect(message.requests).toEqual({ ret: 'headers', envid: 'QQ+1' });
    expect(jobs.map(({ requests }) => requests)).toEqual([
      { notify: ['success', 'failure'], orcpt: 'rfc822;A+2Bx@example.net' },
      { notify: ['never'] },
      undefined,
    ]);
  });

  test('is absent where nothing was asked for', async () => {
    const { message, jobs } = await submitted('', ['<a@example.net>']);
    expect('requests' in message).toBe(false);
    expect(jobs.map((job) => 'requests' in job)).toEqual([false]);
  });

  test('is inherited whole by the one person behind an alias (RFC 3461 §5.2.7.2)', async () => {
    const aliases = { 'one@example.com': ['elsewhere@example.net'] };
    const { jobs } = await submitted('', ['<one@example.com> NOTIFY=SUCCESS ORCPT=rfc822;one@example.com'], {
      aliases,
    });
    expect(jobs).toMatchObject([
      {
        recipient: 'elsewhere@example.net',
        requests: { notify: ['success'], orcpt: 'rfc822;one@example.com' },
      },
    ]);
  });

  test.each([
    ['SUCCESS', ['never']],
    ['SUCCESS,DELAY', ['delay']],
    ['FAILURE', ['failure']],
  ])('is inherited by several people but for success: NOTIFY=%s (§5.2.7.3 c)', async (notify, inherited) => {
    const aliases = { 'all@example.com': ['a@example.net', 'b@example.net'] };
    const { message, jobs, reception } = await submitted('', [`<all@example.com> NOTIFY=${notify}`], {
      aliases,
    });
    expect(jobs.map(({ requests }) => requests)).toEqual([{ notify: inherited }, { notify: inherited }]);
    const expansion = [message.queueId, 'all@example.com'];
    expect(reception.expanded).toEqual(notify.includes('SUCCESS') ? [expansion] : []);
  });

  test('REQUIRETLS is kept (RFC 8689 §4.1)', async () => {
    const { message } = await submitted(' REQUIRETLS', ['<a@example.net>']);
    expect(message.requests).toEqual({ requireTls: true });
  });

  test.each([
    ['', 'TLS-Required: No', { tlsOptional: true }],
    ['', 'tls-required:no', { tlsOptional: true }],
    ['', 'TLS-Required: Yes', undefined],
    ['', 'TLS-Required: No\r\nTLS-Required: No', undefined],
    [' REQUIRETLS', 'TLS-Required: No', { requireTls: true }],
    [' ENVID=x', 'TLS-Required: No', { envid: 'x', tlsOptional: true }],
  ])('MAIL%s and the field "%s" make %j', async (mail, field, requests) => {
    const { message } = await submitted(mail, ['<a@example.net>'], { content: `${field}\r\n${letter}` });
    expect(message.requests).toEqual(requests);
  });

  test('TLS-Required counts from outside too', async () => {
    const reception = new TestReception({ via: 'smtp', accounts: [user], trusted: true });
    const content = `TLS-Required: No\r\n${letter}`;
    expect(await reception.send({ from: 'x@example.net', to: user, content })).toMatch(/^250/);
    expect((await reception.theMessage()).entry.message.requests).toEqual({ tlsOptional: true });
  });

  test('parameters that make no sense are refused', async () => {
    const reception = new TestReception({ via: 'submission', accounts: [user], account: user });
    const replies = await reception.say(
      'EHLO c',
      `MAIL FROM:<${user}>`,
      'RCPT TO:<a@example.net> NOTIFY=NEVER,DELAY',
    );
    expect(replies.at(-1)).toMatch(/^501 5\.5\.4 NOTIFY takes/);
  });
});
