import { expect, test } from 'vitest';
import { completeFilter, type FilterInput } from '../../config/filter.ts';
import type { FilterPlace } from '../../filter/stream.ts';
import { filterDialler } from '../../net/byte-stream.ts';
import { filterPoster } from '../../net/http-post.ts';
import { clamdPeer, rspamdPeer } from '../../testing/filter-peers.ts';
import { milterServer } from '../../testing/milter.ts';
import { systemClock as clock } from '../../util/clock.ts';
import { probeFilter } from './probe.ts';

const parts = { open: filterDialler(clock), post: filterPoster(clock), clock };
const probe = (input: FilterInput, place: FilterPlace) =>
  probeFilter(parts, { ...completeFilter({ timeoutSeconds: 5, ...input }), place });

test('probeFilter() says what is there', async () => {
  await using milter = await milterServer({ version: 4 });
  await using clamd = await clamdPeer((socket) => void socket.end('ClamAV 1.4.6\0'));
  await using rspamd = await rspamdPeer(
    (_, response) => void response.setHeader('server', 'rspamd/3.4').end('pong\r\n'),
  );
  expect(await probe({ kind: 'milter' }, milter.place)).toEqual({ answer: 'a milter, protocol version 4' });
  expect(await probe({ kind: 'clamd' }, clamd.place)).toEqual({ answer: 'ClamAV 1.4.6' });
  expect(await probe({ kind: 'rspamd' }, rspamd.place)).toEqual({ answer: 'rspamd/3.4' });
});

test('probeFilter() says what is wrong', async () => {
  await using clamd = await clamdPeer((socket) => void socket.end('220 mx ESMTP\r\n'));
  await using rspamd = await rspamdPeer((_, response) => void response.end('hello'));
  expect(await probe({ kind: 'milter' }, clamd.place)).toHaveProperty('problem');
  expect(await probe({ kind: 'rspamd' }, rspamd.place)).toEqual({
    problem: 'it answers a ping with 200 hello',
  });
  expect(await probe({ kind: 'clamd' }, { socket: '/nonexistent/x' })).toHaveProperty('problem');
});
