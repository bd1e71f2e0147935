/**
 * The grammar of a configuration's values, as valibot schemas. Every refusal has the same form, "VALUE is not WHAT" and a
 * remedy, so that it reads like advice and not like a type error: an issue's `expected` is the WHAT, its `message` the remedy,
 * and `issues.ts` puts the sentence together. Knows no mail word.
 */

import * as v from 'valibot';
import { findNearest } from './nearest.ts';

/** A value as an error quotes it: short, on one line. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return value.toISOString(); // as it is written in the file, where it comes from TOML
  if (typeof value === 'object' && value !== null) return 'a table';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Lists and dates are none. */
export const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

const anyTable = v.custom<Record<string, unknown>>(isTable);

/**
 * A table with these keys and no others. Everything that is wrong in it is told at once: `v.strictObject()` would stop at
 * the first unknown key, take a list for a table, and not ask the value that is missing for its remedy.
 */
export function table<const Entries extends v.ObjectEntries>(entries: Entries) {
  const keys = Object.keys(entries);
  const needed = keys.filter((key) => entries[key]?.type !== 'exact_optional');
  const blank = Object.fromEntries(needed.map((key) => [key, undefined]));
  return v.pipe(
    anyTable,
    v.transform((input): unknown => ({ ...blank, ...input })),
    v.intersect([v.object(entries), noKeysBut(keys)]),
  );
}

/** Adds nothing to the table that is read, only an issue for each key that is not known. */
const noKeysBut = (known: readonly string[]) =>
  v.pipe(
    anyTable,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const [key, value] of Object.entries(dataset.value))
        if (!known.includes(key))
          addIssue({ path: [{ type: 'object', origin: 'key', input: dataset.value, key, value }] });
    }),
    v.transform(() => ({})),
  );

/** `example` is a list that is good: the remedy for what is none. */
export const list = <Item extends v.GenericSchema>(item: Item, example: string) => v.array(item, example);

/** A list, or what is short for a list of one. */
export const oneOrMany = <Item extends v.GenericSchema>(item: Item, example: string) => {
  const several = v.array(item, example);
  const one = v.pipe(
    item,
    v.transform((value) => [value]),
  );
  return v.lazy(
    (input): v.GenericSchema<unknown, v.InferOutput<Item>[]> => (Array.isArray(input) ? several : one),
  );
};

type Remedy = v.ErrorMessage<v.RawTransformIssue<unknown>>;

/** A value that `read` understands; it answers undefined to what it does not. */
export function value<T>(expected: string, remedy: Remedy, read: (input: unknown) => T | undefined) {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }): T => {
      const result = dataset.value === undefined ? undefined : read(dataset.value);
      if (result !== undefined) return result;
      addIssue({ expected, message: remedy });
      return NEVER;
    }),
  );
}

/** A value written as text. */
export const text = <T>(expected: string, remedy: string, read: (input: string) => T | undefined) =>
  value(expected, remedy, (input) => (typeof input === 'string' ? read(input) : undefined));

export const flag = () =>
  value('true or false', 'Write true or false, without quotes.', (input) =>
    typeof input === 'boolean' ? input : undefined,
  );

export const count = (least: number, most: number, unit: string) =>
  value(
    `a number of ${unit} from ${least} to ${most}`,
    `Give a whole number of ${unit}, without quotes, from ${least} to ${most}.`,
    (input) =>
      typeof input === 'number' && Number.isInteger(input) && input >= least && input <= most
        ? input
        : undefined,
  );

export const number = (least: number, most: number, remedy: string) =>
  value(`a number from ${least} to ${most}`, remedy, (input) =>
    typeof input === 'number' && input >= least && input <= most ? input : undefined,
  );

export function oneOf<const T extends string>(...choices: readonly T[]) {
  const list = choices.map((choice) => `"${choice}"`).join(', ');
  const remedy: Remedy = ({ input }) => {
    const nearest = typeof input === 'string' ? findNearest(input, choices) : undefined;
    return nearest === undefined ? `Write one of ${list}.` : `Did you mean "${nearest}"?`;
  };
  return value(`one of ${list}`, remedy, (input) => choices.find((choice) => choice === input));
}
