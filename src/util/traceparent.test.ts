import { expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const place = { traceId: trace, spanId: span, flags: 1 };

test.each([
  ['as it stands in the standard', `00-${trace}-${span}-01`, place],
  ['not sampled', `00-${trace}-${span}-00`, { ...place, flags: 0 }],
  ['of a later version', `01-${trace}-${span}-01`, place],
  ['of a later version that says more', `cc-${trace}-${span}-01-what-comes`, place],
  ['of the version that may not be', `ff-${trace}-${span}-01`, undefined],
  ['with more than version 00 has', `00-${trace}-${span}-01-x`, undefined],
  ['with more, unseparated', `01-${trace}-${span}-01x`, undefined],
  ['in capitals', `00-${trace.toUpperCase()}-${span}-01`, undefined],
  ['with a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`, undefined],
  ['with a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`, undefined],
  ['too short', `00-${trace.slice(1)}-${span}-01`, undefined],
  ['with a line end', `00-${trace}-${span}-01\n`, undefined],
  ['empty', '', undefined],
])('parseTraceparent() of one %s', (_, text, expected) => {
  expect(parseTraceparent(text)).toEqual(expected);
});

test('formatTraceparent() writes what parseTraceparent() reads', () => {
  for (const flags of [0, 1, 3, 255])
    expect(parseTraceparent(formatTraceparent({ ...place, flags }))).toEqual({ ...place, flags });
  expect(formatTraceparent(place)).toBe(`00-${trace}-${span}-01`);
});
