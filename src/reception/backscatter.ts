/**
 * Reports about mail that we never sent: somebody forged our address, and the bounces come here. They are junk
 * (requirements, duty 7). The store remembers the Message-IDs of what was sent from here.
 */

import { isDeliveryReport } from '../dsn/recognise.ts';
import type { Header } from '../mail/header.ts';
import { readContent } from '../store/content.ts';
import type { Content } from '../store/message.ts';
import type { Store } from '../store/store.ts';
import type { FactSource } from './checks/fact-source.ts';
import type { Transaction } from './door.ts';

/** Octets of a report that are searched for the Message-ID of what it is about. */
const searchedBytes = 256 * 1024;
/** Message-IDs looked up for one report: a forged one costs the store this much. */
const maxLookups = 3;

/** Finds `report`: whether a delivery report is about mail that left from here. Without dossiers nobody could say. */
export const reportSource = (store: Pick<Store, 'isSentFromHere'>): FactSource => ({
  finds: ['report'],
  async ofMessage({ transaction, header, content }) {
    if (transaction.reversePath !== '' || !isDeliveryReport(header.fields))
      return { report: { unasked: false, why: 'it is no delivery report' } };
    const unasked = await isUnexpectedReport(store, transaction, header, content);
    const about = unasked ? 'for nothing that was sent from here' : 'on a message that was sent from here';
    return { report: { unasked, why: `a delivery report ${about}` } };
  },
});

/** True for a delivery report from the null sender that names no message which left from here. */
export async function isUnexpectedReport(
  store: Pick<Store, 'isSentFromHere'>,
  { reversePath }: Transaction,
  header: Header,
  content: Content,
): Promise<boolean> {
  if (reversePath !== '' || !isDeliveryReport(header.fields)) return false;
  for (const messageId of messageIdsIn(await beginningOf(content)))
    if (await store.isSentFromHere(messageId)) return false;
  return true;
}

async function beginningOf(content: Content): Promise<string> {
  let text = '';
  for await (const chunk of readContent(content)) {
    text += chunk.toString('latin1');
    if (text.length > searchedBytes) break;
  }
  return text.slice(0, searchedBytes);
}

const namingField = /^(Message-ID|In-Reply-To|References):([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)/gim;

/** That of the message which the report returns, then what its fields refer to; of several in a field the last. */
function messageIdsIn(report: string): string[] {
  const bodyAt = report.indexOf('\r\n\r\n');
  const named = Array.from(report.matchAll(namingField), ({ index, 1: name = '', 2: value = '' }) => ({
    isOwn: name.toLowerCase() === 'message-id',
    inBody: index > bodyAt,
    id: value.match(/<[^<>\s]{1,250}>/g)?.at(-1),
  }));
  const returned = named.filter(({ isOwn, inBody }) => isOwn && inBody);
  const references = named.filter(({ isOwn }) => !isOwn);
  const ids = [...returned, ...references].flatMap(({ id }) => id ?? []);
  return [...new Set(ids)].slice(0, maxLookups);
}
