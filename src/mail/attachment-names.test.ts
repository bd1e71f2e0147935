import { expect, test } from 'vitest';
import { endingsOf, extensionOf } from './attachment-names.ts';

test.each([
  ['a.EXE', 'exe'],
  ['a.exe. . ', 'exe'],
  ['a.tar.gz', 'gz'],
  ['a\u202Egpj.exe', 'exe'],
  ['a.exe\u200B', 'exe'],
  ['none', ''],
  ['a.b/c', ''],
])('extensionOf(%j)', (name, extension) => expect(extensionOf(name)).toBe(extension));

test.each([
  ['a.exe', ['exe']],
  ['a.exe\0.txt', ['txt', 'exe']],
  ['a.exe::$DATA', ['exe::$data', 'exe']],
  ['C:\\a.exe', ['exe']],
  ['a', []],
])('endingsOf(%j)', (name, endings) => expect(endingsOf(name)).toEqual(endings));
