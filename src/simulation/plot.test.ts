import { expect, test } from 'vitest';
import { plot } from './plot.ts';
import { Tally } from './tally.ts';

const script = {
  domain: 'a<b&c.example',
  mx: ['mx.a.example'],
  queued: 0,
  perMinute: 0,
  arrivalsMs: 0,
  senders: 1,
  latencyMs: 1,
  greylistMs: 0,
  phases: [{ fromMs: 0, untilMs: 50_000, does: 'refuses' as const }],
};

test('plot() draws what waits as steps, phases behind it, and quotes names', () => {
  const tally = new Tally(script, 'a');
  for (let message = 0; message < 8; message++) tally.arrived(0);
  tally.closed('delivered', 0, 50_000);
  for (let message = 0; message < 7; message++) tally.closed('delivered', 0, 100_000);
  tally.end(100_000);
  const svg = plot([tally], 0, 100_000);
  expect(svg).toContain('<path d="M72 32H504V71.9'.slice(0, 20)); // eight at the beginning: at the top
  expect(svg).toMatch(
    /<rect x="72" y="32" width="432" height="320" fill="#0072b2" fill-opacity="0\.1"><title>connections are refused<\/title>/,
  );
  expect(svg).toContain('>a&lt;b&amp;c.example</text>');
  expect(svg).toContain('>start</text>');
  expect(svg).toContain('>50 s</text>');
  expect(svg).toContain('x="936" y="372" text-anchor="end">2 min</text>');
  expect(svg.match(/<(?!\?|\/)/g)?.length).toBe(
    (svg.match(/\/>/g)?.length ?? 0) + (svg.match(/<\//g)?.length ?? 0), // every element ends
  );
});
