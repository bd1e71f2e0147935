import { expect, test } from 'vitest';
import { completeFilter } from '../config/filter.ts';
import { FilterError } from '../filter/stream.ts';
import type { HttpPost, PostToFilter } from '../net/http-post.ts';
import { letterOf } from '../testing/preflight-letter.ts';
import { scoreFindings } from './score.ts';

const filters = [completeFilter({ kind: 'clamd' }), completeFilter({ kind: 'rspamd', name: 'spam judge' })];
const from = { publicAddress: '192.0.2.1', ehloName: 'mx.example.com' };
const look = async (post: PostToFilter) =>
  scoreFindings({ filters, post, hostname: 'mx.example.com' }, await letterOf(), from);

const answer = (said: object) => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(said)) });

test('scoreFindings() asks each rspamd, and no other filter, about the message as it would leave', async () => {
  const asked: HttpPost[] = [];
  const symbols = { BAYES_HAM: { score: -1.5 }, MISSING_MID: { score: 2.5 }, R_SPF_ALLOW: { score: 0 } };
  const found = await look(async (post) => {
    asked.push(post);
    return answer({ action: 'add header', score: 7.5, required_score: 6, symbols });
  });
  expect(found).toEqual([
    {
      ...{ id: 'rspamd-score', about: 'content', severity: 'warning' },
      fact: 'Our spam judge scores it 7.5 of 6 (add header): MISSING_MID 2.5, BAYES_HAM -1.5.',
    },
  ]);
  expect(asked).toMatchObject([
    { place: { port: 11333 }, headers: { IP: '192.0.2.1', From: 'a@example.com' } },
  ]);
  const octets = [];
  for await (const chunk of asked[0]?.body ?? []) octets.push(chunk);
  expect(Buffer.concat(octets).toString()).toMatch(/^DKIM-Signature: [\s\S]*\r\n\r\nHello\r\n$/);
});

test('scoreFindings() has nothing against what it would let in, and says who does not answer', async () => {
  const well = await look(async () => answer({ action: 'no action', score: 0.1, required_score: 15 }));
  expect(well).toMatchObject([{ id: 'rspamd-score', severity: 'good' }]);
  const silent = await look(async () => {
    throw new FilterError('down', 'connection refused');
  });
  expect(silent).toMatchObject([
    {
      id: 'rspamd-silent',
      severity: 'notice',
      fact: 'Our spam judge was asked and did not answer: connection refused.',
    },
  ]);
});
