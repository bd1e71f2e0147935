/**
 * Brings out of a damaged store whatever can be read, into a directory of files. Never writes to the store, and does not
 * let SQLite open it.
 */

import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../../names-in.ts';
import { spoolDirectory } from '../../spool.ts';
import { describeDamage } from '../pages/damage.ts';
import { storeFiles } from '../store-files.ts';
import { addresseesOf } from './dossiers.ts';
import { envelopeOf, withAddressees } from './envelope.ts';
import { type Images, openImages } from './images.ts';
import { mayLackJobs, type SalvagedLetter, salvageLetters } from './letters.ts';
import { salvageAccounts, salvageAliases } from './people.ts';
import { type Scan, scanImages } from './scan.ts';
import { reasonsForMore } from './untold.ts';
import { copyFile, type Fate, makeFolders, readEnvelopeOf, writeEnvelope, writeLetter } from './write-out.ts';

export interface SalvageReport {
  /** What is wrong with the store's files, for people. */
  damage: string[];
  pages: { total: number; damaged: number };
  /** Messages brought out octet for octet. */
  messages: number;
  /** Of these, by queue id, those whose recipients are lost, and those about which something else is not sure. */
  withoutRecipients: string[];
  doubtful: string[];
  /** Messages of which only a part is left, or octets that are not those accepted. */
  damaged: string[];
  /** Messages of which nothing is left but the names of their recipients. */
  lost: { queueId: string; recipients: string[] }[];
  /** Why there may have been more messages, the newest most likely, of which not even the number is known. */
  mayLackMore: string[];
  /** Spool files of which no message is known. */
  orphans: string[];
  accounts: number;
  aliases: number;
  /** Addresses of accounts and aliases that lie on damaged pages. */
  doubtfulAddresses: string[];
}

/** Into the directory `to`, which is made if need be, and should be empty. Rejects with the system's error. */
export async function salvageStore(dataDir: string, to: string): Promise<SalvageReport> {
  const files = storeFiles(dataDir);
  using images = openImages(files);
  await makeFolders(to);
  const scan = scanImages(images, (table) => table !== 'events');
  const spool = spoolDirectory(dataDir);
  const letters = await writeLetters(images, scan, spool, to);
  const people = await writePeople(scan, to);
  const orphans = await copyOrphans(spool, letters.spooled, to);
  const report = {
    damage: images.damage.map((damage) => `${damage.file}: ${describeDamage(damage)}`),
    pages: { total: images.pageCount, damaged: scan.damagedPages.size },
    ...letters.report,
    mayLackMore: reasonsForMore(files, images, scan),
    orphans,
    ...people,
  };
  await writeFile(join(to, 'report.json'), `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  return report;
}

type LetterReport = Pick<SalvageReport, 'messages' | 'withoutRecipients' | 'doubtful' | 'damaged' | 'lost'>;

async function writeLetters(images: Images, scan: Scan, spool: string, to: string) {
  const report: LetterReport = { messages: 0, withoutRecipients: [], doubtful: [], damaged: [], lost: [] };
  /** Spool files that belong to a message. */
  const spooled = new Set<string>();
  /** Those that may have recipients that are not known. */
  const unclear = new Map<string, Fate>();
  const isAnyUnclear = mayLackJobs(scan);
  for (const letter of salvageLetters(scan)) {
    const { fate, octetsSum } = await writeLetter(to, spool, letter);
    if (letter.message?.[9]) spooled.add(letter.message[9]);
    if (isAnyUnclear || letter.jobs.length === 0) unclear.set(letter.queueId, fate);
    await writeEnvelope(to, fate, envelopeOf(letter, octetsSum));
    count(report, letter, fate);
  }
  // Their dossiers are looked for only now, and only if need be: there are more of those than of anything else.
  const changed = unclear.size > 0 ? await addAddressees(images, unclear, to) : [];
  const partly = changed.filter((queueId) => !report.withoutRecipients.includes(queueId));
  return { report: { ...report, doubtful: [...new Set([...report.doubtful, ...partly])] }, spooled };
}

/** Resolves to the messages brought out that have, or may have, more recipients than are known. */
async function addAddressees(
  images: Images,
  unclear: ReadonlyMap<string, Fate>,
  to: string,
): Promise<string[]> {
  const changed: string[] = [];
  const addressees = addresseesOf(images, unclear);
  for (const [queueId, fate] of unclear) {
    const envelope = await readEnvelopeOf(to, fate, queueId);
    const more = withAddressees(envelope, addressees.get(queueId));
    if (more === envelope) continue;
    await writeEnvelope(to, fate, more);
    if (fate === 'messages') changed.push(queueId);
  }
  return changed;
}

function count(report: LetterReport, { queueId, jobs, doubts }: SalvagedLetter, fate: Fate): void {
  if (fate === 'damaged') report.damaged.push(queueId);
  else if (fate === 'lost')
    report.lost.push({ queueId, recipients: jobs.map(([, , recipient]) => recipient) });
  else {
    report.messages += 1;
    if (jobs.length === 0) report.withoutRecipients.push(queueId);
    else if (doubts.length > 0) report.doubtful.push(queueId);
  }
}

/** As `account import` takes them, and as JSON. */
async function writePeople(scan: Scan, to: string) {
  const accounts = salvageAccounts(scan);
  const aliases = salvageAliases(scan);
  const write = (name: string, text: string) => writeFile(join(to, name), text, { mode: 0o600 });
  const rows = accounts.map(({ address, passwordHash }) => `${quoted(address)},${quoted(passwordHash)}\n`);
  await write('accounts.csv', `address,hash\n${rows.join('')}`);
  await write('accounts.json', `${JSON.stringify(accounts, null, 2)}\n`);
  await write('aliases.json', `${JSON.stringify(aliases, null, 2)}\n`);
  const doubtful = [...accounts, ...aliases].filter(({ isDoubtful }) => isDoubtful);
  return {
    accounts: accounts.length,
    aliases: aliases.length,
    doubtfulAddresses: doubtful.map(({ address }) => address),
  };
}

/** Hashes hold commas. */
const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;

async function copyOrphans(spool: string, known: ReadonlySet<string>, to: string): Promise<string[]> {
  const orphans = (await namesIn(spool)).filter((name) => !known.has(name));
  for (const name of orphans) {
    const file = await open(join(to, 'orphans', `${name}.eml`), 'w', 0o600);
    try {
      await copyFile(join(spool, name), { file, sumBefore: 0 });
    } finally {
      await file.close();
    }
  }
  return orphans;
}
