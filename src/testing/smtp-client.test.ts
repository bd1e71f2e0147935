import { expect, test } from 'vitest';
import { testAuthority } from './certificates.ts';
import { scriptedPeer } from './scripted-peer.ts';
import { sendMail } from './smtp-client.ts';

const authority = testAuthority();
const letter = {
  authority: authority.cert,
  from: 'sender@example.com',
  recipients: ['recipient@example.net'],
  content: Buffer.from('Subject: hello\r\n\r\nHello.\r\n'),
};
const credentials = { user: 'sender@example.com', password: 'secret' };

const opening = `
  S: 220 mx.example.net ESMTP
  C: EHLO [127.0.0.1]
  S: 250-mx.example.net
  S: 250 STARTTLS
  C: STARTTLS
  S: 220 2.0.0 Ready
  == TLS
  C: EHLO [127.0.0.1]
  S: 250-mx.example.net
  S: 250 AUTH PLAIN`;

test('sendMail() authenticates under TLS and tells what became of each recipient', async () => {
  const script = `${opening}
    C: AUTH PLAIN AHNlbmRlckBleGFtcGxlLmNvbQBzZWNyZXQ=
    S: 235 2.7.0 Welcome
    C: MAIL FROM:<sender@example.com>
    S: 250 2.1.0 OK
    C: RCPT TO:<recipient@example.net>
    S: 250 2.1.5 OK
    C: DATA
    S: 354 Go ahead
    C: (message)
    S: 250 2.0.0 Queued as 0123456789ABCD
    C: QUIT
    S: 221 2.0.0 Goodbye
    == hang up`;
  await using peer = await scriptedPeer([script], { certificate: authority.issue(['mx.example.net']) });
  const sent = await sendMail({ ...letter, endpoint: peer.endpoint, credentials });
  expect(sent).toMatchObject({ queueId: '0123456789ABCD', tls: { certificate: 'verified' } });
  expect(sent.replies.get('recipient@example.net')?.code).toBe(250);
  expect(sent.dialogue.map(([, line]) => line)).toContain('C: AUTH PLAIN ***');
  await peer.played();
});

test('sendMail() gives no password to a server whose certificate it cannot verify', async () => {
  await using peer = await scriptedPeer([`${opening}\n== quiet`], {
    certificate: testAuthority().issue(['mx.example.net']),
  });
  const sending = sendMail({ ...letter, endpoint: peer.endpoint, credentials });
  await expect(sending).rejects.toThrow(/^No password for mx\.example\.net: /);
  await peer.played();
});

test('sendMail() rejects with the words of a server that refuses the password', async () => {
  const script = `${opening}\nC: AUTH PLAIN …\nS: 535 5.7.8 No\n== quiet`;
  await using peer = await scriptedPeer([script], { certificate: authority.issue(['mx.example.net']) });
  const sending = sendMail({ ...letter, endpoint: peer.endpoint, credentials });
  await expect(sending).rejects.toThrow('AUTH was refused: 535 5.7.8 No');
});
