/** Accounts and aliases, from whatever is left of them. */

import type { ScramKeys } from '../../../sasl/scram.ts';
import type { AccountSettings, Alias } from '../../account-store.ts';
import { readAliasText } from '../alias-text.ts';
import type { SqlValue } from '../pages/record.ts';
import { jsonOrNull } from './rows.ts';
import type { Place, Scan } from './scan.ts';

export interface SalvagedAccount {
  address: string;
  passwordHash: string;
  createdAt: number;
  settings?: AccountSettings;
  scramKeys?: ScramKeys;
  /** Its page is damaged, or was damaged and is an older one: look at it before it is used. */
  isDoubtful: boolean;
}

export interface SalvagedAlias extends Alias {
  isDoubtful: boolean;
}

export function salvageAccounts(scan: Scan): SalvagedAccount[] {
  return [...scan.places.accounts].flatMap(([address, places]) => {
    const [, , , passwordHash, createdAt, settings, scramKeys] = valuesAt(scan, places) ?? [];
    if (typeof passwordHash !== 'string' || typeof createdAt !== 'number') return [];
    return [
      {
        ...{ address, passwordHash, createdAt },
        // As setSettings() and setPassword() wrote them; text that makes no sense is no reason to lose an account.
        ...(isJson(settings) && { settings: JSON.parse(settings) as AccountSettings }),
        ...(isJson(scramKeys) && { scramKeys: JSON.parse(scramKeys) as ScramKeys }),
        isDoubtful: isDoubtful(places),
      },
    ];
  });
}

export function salvageAliases(scan: Scan): SalvagedAlias[] {
  return [...scan.places.aliases].flatMap(([address, places]) => {
    const [, list] = valuesAt(scan, places) ?? [];
    const read = typeof list === 'string' ? readAliasText(list) : undefined;
    return read === undefined ? [] : [{ address, ...read, isDoubtful: isDoubtful(places) }];
  });
}

const isJson = (value: SqlValue | undefined): value is string => jsonOrNull(value ?? null) !== null;

/** Of the place that counts: nobody is in the queue for what is surely gone. */
function valuesAt(scan: Scan, places: readonly Place[]): SqlValue[] | undefined {
  const there = places.filter(({ standing }) => standing !== 'gone');
  const best = there.find(isSure) ?? there.find(({ standing }) => standing === 'likely') ?? there[0];
  return best && scan.read(best)?.values;
}

const isSure = ({ standing }: Place): boolean => standing === 'sure';
const isDoubtful = (places: readonly Place[]): boolean => !places.some(isSure);
