/**
 * Finds out about a message that is all there: the sender checks and the filters, at the same time, then the recipients'
 * policies. Mail from trusted networks is shown to those filters alone that are to see it.
 */

import { checkSender } from '../../authentication/check.ts';
import type { Verdicts } from '../../authentication/verdicts.ts';
import { parseHeader } from '../../mail/header.ts';
import { readContent } from '../../store/content.ts';
import type { Content } from '../../store/message.ts';
import type { Filtered, Filters } from '../filters/filters.ts';
import type { Judgment } from '../judgment.ts';
import type { MessageCollector } from '../message-collector.ts';
import type { InboundParts, Received } from './received.ts';

/** What was found of a message that does not come from a trusted network, and what follows. */
export interface Checked {
  verdicts: Verdicts;
  judgment: Judgment;
}

/** What was found of a message. */
export interface Found {
  /** Absent for mail from trusted networks, which is not checked. */
  checked: Checked | undefined;
  /** Absent where no filter has seen it. */
  filtered: Filtered | undefined;
}

export const nothingFound: Found = { checked: undefined, filtered: undefined };

export async function examine(parts: InboundParts, received: Received, content: Content): Promise<Found> {
  const filtering = parts.filters && filter(parts.filters, received, content);
  if (received.session.trusted) return { checked: undefined, filtered: await filtering };
  // The filters read it while DNS is asked.
  const [verdicts, filtered] = await Promise.all([check(parts, received, content), filtering]);
  return { checked: await judge(parts, received, { content, verdicts, filtered }), filtered };
}

function filter(filters: Filters, { session, transaction, collector }: Received, content: Content) {
  const { header } = collector;
  return filters.message(session, transaction, {
    header: parseHeader(header),
    headerBytes: header.length,
    content,
  });
}

async function judge(
  parts: InboundParts,
  { session, transaction, header, collector }: Received,
  { content, verdicts, filtered }: { content: Content; verdicts: Verdicts; filtered: Filtered | undefined },
): Promise<Checked> {
  const filters = filtered?.facts ?? [];
  const message = { session, transaction, header, collector, content, verdicts, filters };
  return { verdicts, judgment: await parts.judging.judge(message) };
}

async function check(parts: InboundParts, received: Received, content: Content): Promise<Verdicts> {
  const { session, transaction, collector } = received;
  const trustedSealers = parts.arc?.trustedSealers ?? [];
  return checkSender(
    { ...parts, trustedSealers },
    {
      clientAddress: session.peer.address,
      helo: session.hello?.name ?? '',
      reversePath: transaction.reversePath,
      message: asItCame(collector, content),
    },
  );
}

/** The message as the sender signed it: with the header fields that we have taken out. */
export async function* asItCame(
  { header, originalHeader }: MessageCollector,
  content: Content,
): AsyncIterable<Buffer> {
  yield originalHeader;
  let skip = header.length;
  for await (const chunk of readContent(content)) {
    if (skip < chunk.length) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}
