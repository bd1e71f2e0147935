/**
 * Which `[[transport]]` takes a recipient: the most specific one. First by the recipient's domain: itself, then what it lies
 * below, the nearest first, then `*`. Among those for the same, by the sender: the address, then its domain, then those for
 * everybody. One whose senders do not fit leaves the choice to the less specific ones. Knows no route and no connection.
 */

import type { TransportConfig } from '../../config/transport.ts';
import { addressKey, parseAddress } from '../../mail/address.ts';
import type { MessageRow } from '../../store/message.ts';

/** Whose mail it is: the reverse path counts first, then the account that submitted it. */
export type SentBy = Pick<MessageRow, 'reversePath' | 'submitter'>;

export interface TransportChoice {
  transport: TransportConfig;
  why: ChoiceReason;
}

/** What the configuration has it for: its pattern of domains, and the sender where that counts. */
export interface ChoiceReason {
  domains: string;
  sender?: string;
}

export interface TransportFinder {
  find(domain: string, sentBy: SentBy): TransportChoice | undefined;
  /** Mail for the domain takes different ways, by its sender. */
  isSplit(domain: string): boolean;
}

/** By domain pattern, then by sender; '' is everybody. */
type Table = ReadonlyMap<string, ReadonlyMap<string, TransportConfig>>;

/** `domain` is in A-labels, or an address literal, which only `*` means. */
export function transportFinder(transports: readonly TransportConfig[]): TransportFinder {
  const table = tableOf(transports);
  const bySender = transports.some(({ senders }) => senders !== undefined);
  return {
    find(domain, sentBy) {
      const senders = bySender ? sendersOf(sentBy) : everybody;
      for (const pattern of patternsOf(domain)) {
        const found = choose(table.get(pattern), pattern, senders);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    isSplit(domain) {
      for (const pattern of bySender ? patternsOf(domain) : []) {
        const row = table.get(pattern);
        // Those for everybody end the search, as they do above.
        if (row !== undefined) return row.size > 1 || !row.has('');
      }
      return false;
    },
  };
}

function tableOf(transports: readonly TransportConfig[]): Table {
  const table = new Map<string, Map<string, TransportConfig>>();
  for (const transport of transports) {
    for (const pattern of transport.domains) {
      const row = table.get(pattern) ?? new Map<string, TransportConfig>();
      table.set(pattern, row);
      for (const sender of transport.senders ?? ['']) row.set(sender, transport);
    }
  }
  return table;
}

/** `a.b.example`: itself, `.b.example`, `.example`, `*`. */
function* patternsOf(domain: string): Iterable<string> {
  yield domain;
  if (!domain.startsWith('['))
    for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1))
      yield domain.slice(dot);
  yield '*';
}

const everybody: readonly string[] = [''];

/** As the configuration writes them, the most specific first. */
function sendersOf({ reversePath, submitter = '' }: SentBy): string[] {
  const known = [reversePath, submitter].flatMap((text) => parseAddress(text) ?? []);
  return [...known.map(addressKey), ...known.map(({ domain }) => domain), ''];
}

function choose(
  row: ReadonlyMap<string, TransportConfig> | undefined,
  pattern: string,
  senders: readonly string[],
): TransportChoice | undefined {
  if (row === undefined) return undefined;
  for (const sender of senders) {
    const transport = row.get(sender);
    if (transport !== undefined)
      return { transport, why: sender === '' ? { domains: pattern } : { domains: pattern, sender } };
  }
  return undefined;
}
