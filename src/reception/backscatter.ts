/**
 * Reports about mail that we never sent: somebody forged our address, and the bounces come here. They are junk
 * (requirements, duty 7). What was sent from here is known from the dossiers, by Message-ID.
 */

import { fieldValue, findFields, type Header, parseHeader } from '../mail/header.ts';
import { readContent } from '../store/content.ts';
import type { Content, Store } from '../store/store.ts';
import type { MessageCollector } from './message-collector.ts';
import type { Transaction } from './smtp-application.ts';

/** Octets of a report that are searched for the Message-ID of what it is about. */
const searchedBytes = 256 * 1024;
/** Message-IDs looked up for one report. */
const maxLookups = 10;

/** True for a delivery report from the null sender that names no message which left from here. */
export async function isUnexpectedReport(
  store: Pick<Store, 'trace'>,
  { reversePath }: Transaction,
  collector: MessageCollector,
  content: Content,
): Promise<boolean> {
  if (reversePath !== '') return false;
  const header = parseHeader(collector.header);
  if (!isDeliveryReport(header)) return false;
  for (const messageId of await messageIdsIn(content)) {
    const events = await store.trace({ messageId, limit: 1 });
    if (events.some(({ event, data }) => event === 'accepted' && data.from !== '')) return false;
  }
  return true;
}

function isDeliveryReport({ fields }: Header): boolean {
  const [type] = findFields(fields, 'content-type');
  const value = type ? fieldValue(type).toLowerCase() : '';
  return value.startsWith('multipart/report') && value.includes('delivery-status');
}

/** The Message-IDs in a report: those that its own header refers to, and that of the message it returns. */
async function messageIdsIn(content: Content): Promise<string[]> {
  let text = '';
  for await (const chunk of readContent(content)) {
    text += chunk.toString('latin1');
    if (text.length > searchedBytes) break;
  }
  const lines = text
    .slice(0, searchedBytes)
    .matchAll(/^(?:Message-ID|In-Reply-To|References):([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)/gim);
  const ids = [...lines].flatMap((line) => line[1]?.match(/<[^<>\s]{1,250}>/g) ?? []);
  return [...new Set(ids)].slice(0, maxLookups);
}
