/** What our own rspamd makes of the message, where one is configured: its score by its rules, as a fact. */

import type { FilterConfig } from '../config/filter.ts';
import { FilterError } from '../filter/stream.ts';
import { formatAddress } from '../mail/address.ts';
import type { PostToFilter } from '../net/http-post.ts';
import { putToRspamd } from '../reception/filters/ask-rspamd.ts';
import type { OwnAddress } from './authentication.ts';
import type { Finding } from './finding.ts';
import type { Letter } from './letter.ts';

export interface ScoreParts {
  filters: readonly FilterConfig[];
  post: PostToFilter;
  hostname: string;
}

/** Symbols that are named. */
const maxSymbols = 8;

/** Of each rspamd of the configuration. Never rejects but for a bug. */
export async function scoreFindings(
  { filters, post, hostname }: ScoreParts,
  letter: Letter,
  from: OwnAddress | undefined,
): Promise<Finding[]> {
  const { sent, reversePath, to } = letter;
  const question = {
    clientAddress: from?.publicAddress ?? '127.0.0.1',
    helo: from?.ehloName ?? hostname,
    from: reversePath,
    recipients: [formatAddress(to)],
    queueId: 'preflight',
    hostname,
  };
  const asked = filters
    .filter(({ kind }) => kind === 'rspamd')
    .map((filter) =>
      putToRspamd(post, filter, { question, body: once(sent), bodyBytes: sent.length })
        .then((answer) => scored(filter.name, answer))
        .catch((error) => {
          if (!(error instanceof FilterError)) throw error;
          return silent(filter.name, error.message);
        }),
    );
  return Promise.all(asked);
}

async function* once(octets: Buffer): AsyncIterable<Buffer> {
  yield octets;
}

function scored(
  name: string,
  { action, score, required, symbols }: Awaited<ReturnType<typeof putToRspamd>>,
): Finding {
  const heaviest = symbols.filter((symbol) => symbol.score !== 0).slice(0, maxSymbols);
  const why = heaviest.map((symbol) => `${symbol.name} ${symbol.score}`).join(', ');
  return {
    ...{ id: 'rspamd-score', about: 'content', severity: action === 'no action' ? 'good' : 'warning' },
    fact: `Our ${name} scores it ${score} of ${required} (${action})${why === '' ? '' : `: ${why}`}.`,
  };
}

const silent = (name: string, problem: string): Finding => ({
  ...{ id: 'rspamd-silent', about: 'content', severity: 'notice' },
  fact: `Our ${name} was asked and did not answer: ${problem}.`,
});
