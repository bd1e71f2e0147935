/** Shows a message to rspamd, with what is known of its client; whatever comes of it is a fact. */

import type { IprevVerdict } from '../../authentication/verdicts.ts';
import type { FilterConfig } from '../../config/filter.ts';
import type { AddedField } from '../../filter/added-fields.ts';
import type { RspamdFact, UnknownFact } from '../../filter/fact.ts';
import {
  maxAnswerBytes,
  questionFields,
  type RspamdAnswer,
  type RspamdQuestion,
  readAnswer,
} from '../../filter/rspamd/rspamd.ts';
import { bounded, FilterError } from '../../filter/stream.ts';
import type { PostToFilter } from '../../net/http-post.ts';
import { contentBytes, readContent } from '../../store/content.ts';
import type { Content } from '../../store/message.ts';
import type { Clock } from '../../util/clock.ts';
import type { Session, Transaction } from '../door.ts';

export interface RspamdParts {
  post: PostToFilter;
  clock: Clock;
  hostname: string;
}

export interface ShownToRspamd {
  session: Session;
  transaction: Transaction;
  content: Content;
  iprev: IprevVerdict;
}

export async function askRspamd(
  { post, clock, hostname }: RspamdParts,
  filter: FilterConfig,
  shown: ShownToRspamd,
): Promise<{ fact: RspamdFact | UnknownFact; fields: AddedField[] }> {
  const { name, whenDown } = filter;
  const startedAt = clock.now();
  const about = { name, kind: 'rspamd' as const };
  try {
    const message = { body: readContent(shown.content), bodyBytes: contentBytes(shown.content) };
    const said = await putToRspamd(post, filter, { question: questionOf(hostname, shown), ...message });
    return { fact: { ...about, durationMs: clock.now() - startedAt, ...factOf(said) }, fields: said.fields };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const durationMs = clock.now() - startedAt;
    const { kind: unknown, message: problem } = error;
    return { fact: { ...about, durationMs, unknown, problem, whenDown }, fields: [] };
  }
}

/** Rejects with a FilterError where it does not answer as rspamd does. */
export async function putToRspamd(
  post: PostToFilter,
  { place, times }: Pick<FilterConfig, 'place' | 'times'>,
  { question, ...message }: { question: RspamdQuestion; body: AsyncIterable<Buffer>; bodyBytes: number },
): Promise<RspamdAnswer> {
  const headers = headersOf(question);
  const limits = { maxBytes: maxAnswerBytes, timeoutMs: times.stageMs };
  const answer = await post({ place, path: '/checkv2', headers, ...message, ...limits });
  const text = answer.body.toString();
  if (answer.status === 200) return readAnswer(text);
  const said = text.trim() === '' ? '' : `: ${bounded(text, 100)}`;
  throw new FilterError('down', `it answers with HTTP status ${answer.status}${said}`);
}

function factOf({
  fields,
  notDone,
  ...said
}: RspamdAnswer): Omit<RspamdFact, 'name' | 'kind' | 'durationMs'> {
  return {
    ...said,
    ...(fields.length > 0 && { added: fields.map(({ name }) => name) }),
    ...(notDone.length > 0 && { notDone }),
  };
}

function questionOf(hostname: string, { session, transaction, iprev }: ShownToRspamd): RspamdQuestion {
  const { peer, hello, account, tls } = session;
  const { queueId, reversePath, forwardPaths } = transaction;
  return {
    clientAddress: peer.address,
    clientName: iprev.result === 'pass' ? iprev.name : undefined,
    helo: hello?.name ?? '',
    from: reversePath,
    recipients: forwardPaths,
    user: account,
    queueId,
    tls: tls && { version: tls.version, cipher: tls.cipher },
    hostname,
  };
}

/** Those of one name are a list. */
function headersOf(question: RspamdQuestion): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of questionFields(question)) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
