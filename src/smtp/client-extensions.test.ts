import { describe, expect, it } from 'vitest';
import { greeting, letter, open, play } from '../testing/client-transaction.ts';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { sendTransaction } from './client-transaction.ts';
import type { Transaction } from './transaction.ts';

describe('sendTransaction() and extensions', () => {
  const all = ['PIPELINING', 'SIZE 1000', '8BITMIME', 'SMTPUTF8'];
  const rest =
    'C: RCPT …\nC: RCPT …\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 taken';
  const utf8 = { smtputf8: true };

  it('M5: uses SIZE and 8BITMIME where they are offered, and SMTPUTF8 where it was declared too', async () => {
    const delivered = ['end of data: 250', 'end of data: 250'];
    const mail = 'C: MAIL FROM:<a@example.com>';
    expect(await play(all, `${mail} SIZE=30 BODY=8BITMIME SMTPUTF8\n${rest}`, utf8)).toEqual(delivered);
    expect(await play(all, `${mail} SIZE=30 BODY=8BITMIME\n${rest}`)).toEqual(delivered);
    expect(await play(['PIPELINING'], `${mail}\n${rest}`, utf8)).toEqual(delivered);
  });

  it('M5: does not send what is larger than the receiver says it takes', async () => {
    expect(await play(['SIZE 29'], '')).toEqual(
      Array(2).fill('comparing the message with what the receiver offers: 5.3.4'),
    );
    expect(await play(['SIZE 0', 'PIPELINING'], `C: MAIL …\n${rest}`)).toEqual(
      Array(2).fill('end of data: 250'),
    );
  });

  it('M5: sends 8-bit content as it is where 8BITMIME is not offered', async () => {
    await using peer = await scriptedPeer([
      `${greeting('PIPELINING')}\nC: MAIL FROM:<a@example.com>\n${rest}`,
    ]);
    const content = () => [Buffer.from('\r\nGrüße\r\n')];
    await sendTransaction(await open(peer), { ...letter, content });
    expect(peer.messages).toEqual(['\r\nGrüße\r\n.\r\n']);
  });

  const unmet = 'comparing the message with what the receiver offers: 5.6.7';
  it('refuses internationalized mail where SMTPUTF8 is not offered', async () => {
    const header = () => [Buffer.from('Subject: Grü'), Buffer.from('ße\r\n\r\nhello\r\n')];
    const sender = { reversePath: 'jürgen@example.com', smtputf8: true };
    expect(await play([], '', sender)).toEqual([unmet, unmet]);
    const ofHeader = unmet.replace('5.6.7', '5.6.9');
    expect(await play([], '', { content: header, smtputf8: true })).toEqual([ofHeader, ofHeader]);
    const recipients = ['jürgen@example.net', 'b@example.net'];
    expect(await play([], '', { recipients, content: header, smtputf8: true })).toEqual([unmet, ofHeader]);
  });

  it('M1: writes domains in A-labels where SMTPUTF8 is not offered, or was not declared', async () => {
    const script =
      'C: MAIL FROM:<a@xn--bcher-kva.example>\nC: RCPT TO:<b@xn--bcher-kva.example>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 ok';
    const paths = { reversePath: 'a@bücher.example', recipients: ['b@bücher.example'] };
    const taken = ['end of data: 250'];
    expect(await play(['PIPELINING'], script, { ...paths, smtputf8: true })).toEqual(taken);
    expect(await play(['PIPELINING', 'SMTPUTF8'], script, { ...paths, smtputf8: false })).toEqual(taken);
  });

  it('refuses only the recipients who need SMTPUTF8 where it is not offered', async () => {
    const script =
      'C: MAIL FROM:<a@example.com>\nC: RCPT TO:<b@example.net>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: (message)\nS: 250 ok';
    const recipients = ['jürgen@example.net', 'b@example.net'];
    expect(await play(['PIPELINING'], script, { recipients, smtputf8: true })).toEqual([
      unmet,
      'end of data: 250',
    ]);
  });
});

describe('sendTransaction() with DSN', () => {
  const asking: Partial<Transaction> = {
    requests: { ret: 'headers', envid: 'QQ 1+1' },
    recipientRequests: [
      { notify: ['success', 'failure'], orcpt: 'rfc822;B+2Bx@example.org' },
      { orcpt: 'utf-8;bücher@example.org' },
    ],
  };

  it('passes on what was asked for where DSN is offered (RFC 3461 §5.2.1)', async () => {
    const script = `
      C: MAIL FROM:<a@example.com> RET=HDRS ENVID=QQ+201+2B1
      S: 250 ok
      C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B+2Bx@example.org
      S: 250 ok
      C: RCPT TO:<c@example.net> ORCPT=utf-8;b\\x{FC}cher@example.org
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    expect(await play(['DSN'], script, asking)).toEqual(['end of data: 250', 'end of data: 250']);
  });

  it('says REQUIRETLS only where it is offered: over a Unix socket it need not be', async () => {
    const script = (parameter: string) => `
      C: MAIL FROM:<a@example.com>${parameter}
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    const requiring: Partial<Transaction> = { recipients: ['b@example.net'], requests: { requireTls: true } };
    expect(await play(['REQUIRETLS'], script(' REQUIRETLS'), requiring)).toEqual(['end of data: 250']);
    expect(await play([], script(''), requiring)).toEqual(['end of data: 250']);
  });

  it('passes on the time that is left, and the priority, where they are offered (RFC 2852, RFC 6710)', async () => {
    const script = (parameters: string) => `
      C: MAIL FROM:<a@example.com>${parameters}
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    const recipients = ['b@example.net'];
    const urgent: Partial<Transaction> = {
      recipients,
      requests: { by: { seconds: 90, mode: 'R' }, priority: 4 },
    };
    const offered = ['DELIVERBY 60', 'MT-PRIORITY'];
    expect(await play(offered, script(' BY=90;R MT-PRIORITY=4'), urgent)).toEqual(['end of data: 250']);
    expect(await play([], script(''), urgent)).toEqual(['end of data: 250']);
    expect(await play(['DELIVERBY 240'], '', urgent)).toEqual([
      'comparing the message with what the receiver offers: 5.4.7',
    ]);
  });

  it('passes nothing on where it is not (§5.2.2 a)', async () => {
    const script = `
      C: MAIL FROM:<a@example.com>
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: RCPT TO:<c@example.net>
      S: 250 ok
      C: DATA
      S: 354 go on
      C: (message)
      S: 250 taken`;
    expect(await play([], script, asking)).toEqual(['end of data: 250', 'end of data: 250']);
  });

  it('leaves an ORCPT in UTF-8 as it is in mail that is internationalized', async () => {
    const script = `
      C: MAIL FROM:<a@example.com> SMTPUTF8 RET=HDRS ENVID=QQ+201+2B1
      S: 250 ok
      C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B+2Bx@example.org
      S: 250 ok
      C: RCPT TO:<c@example.net> ORCPT=utf-8;bücher@example.org
      S: 554 no more`;
    const verdicts = await play(
      ['DSN', 'SMTPUTF8'],
      `${script.replace(/S: 250 ok\n\s+C: RCPT TO:<c/, 'S: 554 no\n C: RCPT TO:<c')}`,
      { ...asking, smtputf8: true },
    );
    expect(verdicts).toEqual(['RCPT TO: 554', 'RCPT TO: 554']);
  });
});
