/**
 * Records that are there, but at another name than theirs: under the domain twice, where a form adds it by itself, or without an
 * underscore. Looked for only where one is missing.
 */

import { nameInZone } from '../records/print.ts';
import type { WantedRecord } from '../records/wanted-record.ts';
import { comparable, textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';

type Placed = Pick<WantedRecord, 'name' | 'domain'>;

/** `mx.example.com.example.com`. */
export const doubledName = ({ name, domain }: Placed): string => `${name}.${domain}`;

/** `names`: where else it may stand. `isIt`: default: it has the data that is wanted. */
export async function findMisplaced(
  looks: DnsLooks,
  record: WantedRecord,
  { names = [], isIt }: { names?: readonly string[]; isIt?: (text: string) => boolean } = {},
): Promise<string | undefined> {
  const wanted = comparable(record);
  const isMeant = isIt ?? ((text: string) => text === wanted);
  const places = [doubledName(record), ...names].filter((name) => name !== record.name);
  const seen = await Promise.all(places.map((name) => looks.see(name, record.type)));
  return places.find((_, index) => textsOf(seen[index]).some(isMeant));
}

export function placeRemedy(record: Placed, place: string): string {
  if (place !== doubledName(record)) return `Move it to ${record.name}.`;
  const name = nameInZone(record);
  const entered = name === '@' ? '"@", or leave it empty,' : `"${name}"`;
  return `The form adds the domain by itself: enter ${entered} as the name.`;
}
