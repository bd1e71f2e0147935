import { expect, onTestFinished, test } from 'vitest';
import { zone } from '../dns/zone.ts';
import { serveZone } from '../net/dns-server.ts';
import { systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { createStub } from './outbound.ts';

test('createStub() P9: says in the log that DANE is off while no resolver on this machine runs', async () => {
  const away = await serveZone(zone({}));
  await away.close();
  const other = await serveZone(zone({ 'mx.example.net': { A: ['192.0.2.1'] } }));
  onTestFinished(() => other.close());
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const servers = [away, { address: '0.0.0.0', port: other.port }];
  const resolver = await createStub({ resolver: servers }, systemClock, { log });
  expect(await resolver.resolve('mx.example.net', 'A')).toMatchObject({ status: 'found' });
  expect(lines).toEqual([expect.stringContaining('no receiver is held to DANE')]);
});
