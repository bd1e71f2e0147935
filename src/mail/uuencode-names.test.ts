import { expect, test } from 'vitest';
import { namesInUuencode } from './uuencode-names.ts';

test.each([
  ['begin 644 a.exe\n#0V%T\n`\nend\n', ['a.exe']],
  ['Hello\r\nbegin 0755 my file.exe \r\n#0V%T\r\n', ['my file.exe']],
  ['begin-base64 644 a.exe\n', ['a.exe']],
  ['we begin 644 a.exe\n', []],
  ['begin the day\n', []],
  ['begin 644 \n', []],
])('namesInUuencode(%j)', (text, names) =>
  expect(namesInUuencode(Buffer.from(text))).toEqual({ names, isCut: false }),
);

test('namesInUuencode() stops at 100 names, and at 1,000 lines that might be one', () => {
  const many = namesInUuencode(Buffer.from('begin 644 a\n'.repeat(1000)));
  expect([many.names.length, many.isCut]).toEqual([100, true]);
  expect(namesInUuencode(Buffer.from('begin\n'.repeat(1_000_000)))).toEqual({ names: [], isCut: true });
});
