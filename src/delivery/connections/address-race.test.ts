import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../dossier/event.ts';
import { nextToTry, withFirst } from './address-race.ts';

const at = (address: string): Endpoint => ({ host: 'mx.example.net', address, port: 25 });
const six = at('2001:db8::1');
const sixToo = at('2001:db8::2');
const four = at('192.0.2.1');

describe('nextToTry()', () => {
  it.each<[string, Endpoint[], Endpoint[], boolean, Endpoint | undefined]>([
    ['the first begins at once', [six, four], [], false, six],
    ['the other family waits for the head start', [four], [six], false, undefined],
    ['and is tried beside it then', [four], [six], true, four],
    ['one address of a family at a time', [sixToo], [six], true, undefined],
    ['the other family is looked for further down', [sixToo, four], [six], true, four],
    ['a failure needs no head start', [four], [], false, four],
    ['no more than one of each', [sixToo], [six, four], true, undefined],
    ['nothing is left', [], [], false, undefined],
  ])('%s', (_, waiting, underway, headStartIsOver, expected) => {
    expect(nextToTry({ waiting, underway, headStartIsOver })).toBe(expected);
  });
});

describe('withFirst()', () => {
  it('puts a known address in front and leaves the rest as it is', () => {
    expect(withFirst([six, sixToo, four], '192.0.2.1')).toEqual([four, six, sixToo]);
    expect(withFirst([six, four], '192.0.2.9')).toEqual([six, four]);
    expect(withFirst([six, four], undefined)).toEqual([six, four]);
  });
});
