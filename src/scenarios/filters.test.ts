/** Filters beside a whole server, from its posthorn.toml on. */

import { expect, test } from 'vitest';
import { runCommand } from '../testing/command-line.ts';
import { clamdPeer, rspamdPeer } from '../testing/filter-peers.ts';
import { milterServer } from '../testing/milter.ts';
import { startWorld } from '../testing/world.ts';

const recipient = 'recipient@example.net';
const stranger = 'stranger@example.org';

test('a letter is shown to all filters; what they say is in the dossier, and what follows is judged anew alike', async () => {
  await using milter = await milterServer({ answers: { E: [['hX-Milter\0seen\0', 'c'], 't'] } });
  await using clamd = await clamdPeer('stream: OK\0');
  await using rspamd = await rspamdPeer({ action: 'add header', score: 7, required_score: 15 });
  await using world = await startWorld({
    servers: {
      'example.net': {
        accounts: { [recipient]: 'secret' },
        settings: {
          filter: [
            { kind: 'milter', port: milter.place.port },
            { kind: 'clamd', port: clamd.place.port },
            { kind: 'rspamd', port: rspamd.place.port },
          ],
        },
      },
    },
  });
  const server = world.servers['example.net'];
  const { queueId = '' } = await server.receive({ from: stranger, to: recipient });
  await server.settled(queueId);
  expect(await server.files(recipient, 'Junk')).toHaveLength(1);
  const { data } = await server.event(queueId, 'checked');
  expect(data).toMatchObject({
    decision: 'junk',
    facts: {
      filters: [
        { name: 'milter', verdict: 'accept', added: ['X-Milter'] },
        { name: 'clamd', kind: 'clamd' },
        { name: 'rspamd', action: 'add header', score: 7 },
      ],
    },
  });
  // A milter's word is above every policy, as long as it is said.
  const { replies } = await server.receive({ from: stranger, to: recipient });
  expect(replies.get(recipient)?.code).toBe(451);

  const command = (...args: string[]) =>
    runCommand([...args, '--config', server.config.file], { cwd: world.directory });
  expect((await command('policy', 'replay', '--since', '1d')).out).toBe(
    '2 recipients judged anew: 0 different, 0 unknown\n',
  );
  expect((await command('doctor')).out).toMatch(
    /milter, milter at 127\.0\.0\.1 port \d+.*\n.*protocol version 6/,
  );
});
