import { expect, test } from 'vitest';
import { testAuthority } from './certificates.ts';
import { LineConnection } from './line-connection.ts';
import { fetchByPop3 } from './pop3-client.ts';
import { startWorld } from './world.ts';

const account = 'reader@example.com';
const servers = { 'example.com': { accounts: { [account]: 'secret' } } };

test('fetchByPop3() gets messages octet for octet, and leaves them there', async () => {
  await using world = await startWorld({ servers });
  const { 'example.com': com } = world.servers;
  const body = '.one dot\r\n..two dots\r\n.\r\ngr\xfc\xdfe\r\n';
  const content = Buffer.from(`From: ${account}\r\nSubject: dots\r\n\r\n${body}`, 'latin1');
  await com.submit({ from: account, to: account, content });
  await com.inbox(account);
  const { messages, tls, dialogue } = await com.fetch(account);
  expect(messages).toHaveLength(1);
  const [, ...rest] = messages[0]?.toString('latin1').split('\r\n\r\n') ?? [];
  expect(rest.join('\r\n\r\n')).toBe(body);
  expect(tls.certificate).toBe('verified');
  const lines = dialogue.map(([, line]) => line);
  expect(lines).toContain('C: PASS ***');
  expect(lines).toContain(`S: (${messages[0]?.length} octets of message)`);
  expect((await com.fetch(account)).messages).toEqual(messages);
});

test('fetchByPop3() rejects with the words of a server that refuses the password', async () => {
  await using world = await startWorld({ servers });
  const endpoint = world.servers['example.com'].endpoint('pop3s');
  const mailbox = { endpoint, authority: world.authority.cert, user: account, password: 'wrong' };
  await expect(fetchByPop3(mailbox)).rejects.toThrow(/^POP3 server: -ERR \[AUTH\]/);
});

test('LineConnection refuses a certificate of another authority', async () => {
  await using world = await startWorld({ servers });
  const endpoint = world.servers['example.com'].endpoint('pop3s');
  await using connection = await LineConnection.open(endpoint);
  const handshake = connection.startTls({ host: endpoint.host, authority: testAuthority().cert });
  await expect(handshake).rejects.toThrow(/certificate/);
});

test('LineConnection is a telnet for tests', async () => {
  await using world = await startWorld({ servers });
  await using connection = await LineConnection.open(world.servers['example.com'].endpoint('smtp'));
  expect(await connection.line()).toMatch(/^220 mx\.example\.com /);
  expect(await connection.ask('HELO me.invalid')).toMatch(/^250 /);
  expect(await connection.ask('QUIT')).toMatch(/^221 /);
  await connection.closed();
});
