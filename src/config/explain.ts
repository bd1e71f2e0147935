/** What a key of the configuration means: its kind from the schema, its words from the documents. */

import * as v from 'valibot';
import { formatValue } from './effective.ts';
import { type KeyDocs, plainText } from './key-docs.ts';
import { isTable } from './kinds.ts';
import { findNearest } from './nearest.ts';
import { shapes } from './schema.ts';

export interface KeyExplanation {
  /** `limits.recipients`. */
  key: string;
  /** Where it stands: `[limits]`; '' is the top of the file. */
  table: string;
  /** Completes "it is …". */
  kind: string;
  unit?: string;
  isRequired: boolean;
  /** As the file would say it. */
  default?: string;
  /** A line of the file. */
  example: string;
  text: string;
}

/** Every key that there is, as people name it. */
export const allKeys: readonly string[] = [...shapes].flatMap(([table, shape]) =>
  Object.keys(shape).map((key) => (table === '' ? key : `${table}.${key}`)),
);

/** `listener[2].port` is `listener.port`; a name that only one table has will do alone. Nothing: there is none, or several. */
export function findKeys(asked: string): { found: readonly string[]; nearest?: string | undefined } {
  const name = asked.replaceAll(/\[[^\]]*\]/g, '');
  if (allKeys.includes(name)) return { found: [name] };
  const alone = allKeys.filter((key) => key.endsWith(`.${name}`));
  if (alone.length > 0) return { found: alone };
  const last = allKeys.map((key) => key.slice(key.lastIndexOf('.') + 1));
  const word = name.slice(name.lastIndexOf('.') + 1);
  const nearest = findNearest(name, allKeys) ?? (name.includes('.') ? undefined : findNearest(word, last));
  return {
    found: [],
    nearest: nearest && (allKeys.find((key) => key === nearest || key.endsWith(`.${nearest}`)) ?? nearest),
  };
}

/** `key` is one of `allKeys`. */
export function explainKey(key: string, docs: KeyDocs): KeyExplanation {
  const [table, name] = partsOf(key);
  const schema = shapes.get(table)?.[name];
  if (schema === undefined) throw new Error(`there is no key ${key}`);
  const isTableKey = shapes.has(key);
  const refused = refusalOf(schema);
  const kind = isTableKey ? (isList(key) ? 'a list of tables' : 'a table') : refused.kind;
  const preset = presetOf(schema);
  const unit = /^a number of ([a-z ]+) from/.exec(kind)?.[1];
  const doc = docs.get(key);
  return {
    key,
    table: headerOf(table),
    kind,
    ...(unit !== undefined && { unit }),
    isRequired: schema.type !== 'optional' && schema.type !== 'exact_optional',
    ...(doc && doc.default !== '–'
      ? { default: plainText(doc.default) }
      : preset !== undefined && { default: preset }),
    example: isTableKey ? headerOf(key) : `${name} = ${preset ?? exampleOf(refused)}`,
    text: plainText(doc?.text ?? docs.get(table)?.text ?? `keys: ${keysOf(key).join(', ')}`),
  };
}

function partsOf(key: string): [table: string, name: string] {
  const at = key.lastIndexOf('.');
  return [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
}

/** A table of which there may be several: one alone is refused where it stands. */
function isList(key: string): boolean {
  const [table, name] = partsOf(key);
  const schema = shapes.get(table)?.[name];
  return schema !== undefined && (v.safeParse(schema, {}).issues ?? []).some(({ type }) => type === 'array');
}

const keysOf = (table: string): string[] => Object.keys(shapes.get(table) ?? {});

const headerOf = (table: string): string =>
  table === '' ? '' : isList(table) ? `[[${table}]]` : `[${table}]`;

/** What the schema says of a value that is certainly wrong: it says best what it wants. */
function refusalOf(schema: v.ObjectEntries[string]): { kind: string; remedy: string } {
  const { issues } = v.safeParse(schema, Symbol('wrong'));
  const [issue] = issues ?? [];
  if (issue?.type === 'array') return { kind: 'a list', remedy: issue.message };
  if (issue?.type === 'custom') return { kind: 'a table', remedy: '' };
  return { kind: issue?.expected ?? 'anything', remedy: issue?.message ?? '' };
}

function presetOf(schema: v.ObjectEntries[string]): string | undefined {
  if (schema.type !== 'optional' || !('default' in schema)) return undefined;
  const { default: preset } = schema;
  const isNothing =
    preset === undefined || (typeof preset === 'object' && preset !== null && isEmpty(preset));
  return isNothing ? undefined : formatValue(preset);
}

const isEmpty = (value: object): boolean =>
  (isTable(value) || Array.isArray(value)) && Object.keys(value).length === 0;

/** The remedy has one, mostly. */
function exampleOf({ kind, remedy }: { kind: string; remedy: string }): string {
  if (kind === 'a list') return remedy;
  const number = /from (-?\d+) to/.exec(kind)?.[1];
  const choice = /^one of ("[^"]*")/.exec(kind)?.[1];
  if (kind === 'true or false') return 'true';
  if (kind === 'a port') return '25';
  if (kind === 'where a secret is') return '{ file = "/etc/posthorn/secret" }';
  return choice ?? number ?? /"[^"…]+"/.exec(remedy)?.[0] ?? (/file/.test(remedy) ? '"file.pem"' : '"…"');
}
