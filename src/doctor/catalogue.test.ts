import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dnsFaults } from '../testing/dns-faults.ts';
import { rightZones } from '../testing/right-zones.ts';
import { catalogue, findingIds } from './catalogue.ts';

const document = readFileSync(new URL('../../docs/DOCTOR.md', import.meta.url), 'utf8');
const rows = document.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  const id = /^`([a-z\d-]+)`$/.exec(cells[1] ?? '')?.[1];
  return id === undefined ? [] : [{ id, cells: cells.slice(2, -1) }];
});

test('P12: docs/DOCTOR.md names every finding as the catalogue has it', () => {
  const documented = rows.filter(({ cells }) => cells.length === 3);
  expect(documented.map(({ id }) => id)).toEqual(findingIds);
  for (const { id, cells } of documented) {
    const { severity, what, meaning } = catalogue[id as (typeof findingIds)[number]];
    expect(cells).toEqual([severity, what, meaning]);
  }
});

test('P12: docs/DOCTOR.md names every fault that is planted, at least 40', () => {
  const planted = rows.filter(({ cells }) => cells.length === 1);
  expect(planted.map(({ id, cells }) => [id, cells[0]])).toEqual(dnsFaults.map(({ id, what }) => [id, what]));
  expect(planted.length).toBeGreaterThanOrEqual(40);
});

test('P12: docs/DOCTOR.md names every right zone that is no cause for alarm', () => {
  const list = document.slice(document.indexOf('## Right zones')).match(/^- (.*)$/gm) ?? [];
  expect(list.map((line) => line.slice(2))).toEqual(rightZones.map(({ what }) => what));
});

test('every finding of the catalogue can be found: some examination says it', () => {
  const folder = new URL('.', import.meta.url);
  const isSource = (file: string) => /^(?!catalogue).*(?<!\.test)\.ts$/.test(file);
  const cli = ['accounts', 'filters', 'lists', 'policies', 'server'].map(
    (name) => `../cli/doctor-${name}.ts`,
  );
  const sources = [...readdirSync(folder).filter(isSource), ...cli]
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
  expect(findingIds.filter((id) => !sources.includes(`'${id}'`))).toEqual([]);
});

test('every finding of the catalogue is asserted by some test, or planted and found', () => {
  const source = new URL('../', import.meta.url);
  const tests = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') || file.startsWith('testing/dns-faults/'))
    .map((file) => readFileSync(new URL(file, source), 'utf8'))
    .join('\n');
  // As it is: 'spf-missing'; or as it is printed: /\\[spf-missing\\]/.
  const isAsserted = (id: string) => tests.includes(`'${id}'`) || tests.includes(`[${id}\\]`);
  expect(findingIds.filter((id) => !isAsserted(id))).toEqual([]);
});

test('ids are kebab-case, and every meaning says something', () => {
  for (const id of findingIds) {
    expect(id).toMatch(/^[a-z]+\d*(?:-[a-z\d]+)+$/);
    expect(catalogue[id].meaning.length).toBeGreaterThan(15);
  }
});
