/** How much waited when, as a picture: a line for each receiver over time, its phases in the background. SVG 1.1. */

import { spanOf } from '../dossier/words.ts';
import { replyText } from '../smtp/reply.ts';
import type { ReceiverPhase } from './scenario.ts';
import type { Sample, Tally } from './tally.ts';

const width = 960;
const height = 448;
const left = 72;
const right = 24;
const top = 32;
const bottom = 96;
const plotWidth = width - left - right;
const plotHeight = height - top - bottom;

/** To be told apart by people who see colours otherwise, too: Okabe and Ito's. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#999933', '#000000'];
const colourOf = (index: number): string => colours[index % colours.length] ?? '#000000';

/** Names in the legend. */
const maxNames = 8;

interface Scale {
  startAt: number;
  lengthMs: number;
  most: number;
}

/** A whole file. Receivers beyond eight have lines without names. */
export function plot(tallies: readonly Tally[], startAt: number, endAt: number): string {
  const most = Math.max(1, ...tallies.flatMap(({ samples }) => samples.map(({ waiting }) => waiting)));
  const scale: Scale = { startAt, lengthMs: Math.max(1, endAt - startAt), most: roundUp(most) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<title>Messages that wait, by receiver</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...tallies.flatMap(({ script }, index) => script.phases.map((phase) => band(phase, index, scale))),
    ...axes(scale),
    `<text x="${left}" y="${top - 8}">Messages that wait; shaded: while the receiver behaves otherwise</text>`,
    ...tallies.map(({ samples }, index) => line(samples, colourOf(index), scale)),
    ...tallies.slice(0, maxNames).map(legend),
    '</svg>',
    '',
  ].join('\n');
}

/** The next number of one digit and zeros. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / unit) * unit;
}

const short = (value: number): string => value.toFixed(1).replace(/\.0$/, '');
const xOf = (sinceMs: number, { lengthMs }: Scale): number =>
  left + plotWidth * Math.min(1, Math.max(0, sinceMs / lengthMs));
const yOf = (waiting: number, { most }: Scale): number => top + plotHeight * (1 - waiting / most);

/** As long as it is otherwise with a receiver. */
function band({ fromMs, untilMs, does }: ReceiverPhase, index: number, scale: Scale): string {
  const from = xOf(fromMs, scale);
  const length = xOf(untilMs, scale) - from;
  return `<rect x="${short(from)}" y="${top}" width="${short(length)}" height="${plotHeight}" fill="${colourOf(index)}" fill-opacity="0.1"><title>${escapeXml(wordsFor(does))}</title></rect>`;
}

function wordsFor(does: ReceiverPhase['does']): string {
  if (does === 'refuses') return 'connections are refused';
  if (does === 'silent') return 'nobody answers';
  return 'code' in does ? replyText(does) : `an attempt takes ${spanOf(does.latencyMs)}`;
}

/** What waits stays so until the next sample. */
function line(samples: readonly Sample[], colour: string, scale: Scale): string {
  const steps = samples.map(({ at, waiting }, index) => {
    const x = short(xOf(at - scale.startAt, scale));
    const y = short(yOf(waiting, scale));
    return index === 0 ? `M${x} ${y}` : `H${x}V${y}`;
  });
  return `<path d="${steps.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}

const parts = [0, 0.25, 0.5, 0.75, 1];

function axes(scale: Scale): string[] {
  const below = top + plotHeight;
  return [
    ...parts.map((part) => {
      const y = short(yOf(part * scale.most, scale));
      const label = Math.round(part * scale.most).toLocaleString('en-US');
      return `<path d="M${left} ${y}H${left + plotWidth}" stroke="#dddddd"/><text x="${left - 8}" y="${y}" dy="4" text-anchor="end">${label}</text>`;
    }),
    ...parts.map((part) => {
      const label = part === 0 ? 'start' : spanOf(part * scale.lengthMs);
      const anchor = part === 1 ? 'end' : 'middle'; // the last one has no room at its right
      return `<text x="${short(left + part * plotWidth)}" y="${below + 20}" text-anchor="${anchor}">${label}</text>`;
    }),
    `<path d="M${left} ${top}V${below}H${left + plotWidth}" fill="none" stroke="#333333"/>`,
  ];
}

/** In two rows of four. */
function legend({ script }: Tally, index: number): string {
  const x = left + (index % 4) * (plotWidth / 4);
  const y = height - bottom + 52 + Math.floor(index / 4) * 20;
  const name = script.domain.length > 26 ? `${script.domain.slice(0, 25)}…` : script.domain;
  return `<rect x="${x}" y="${y - 9}" width="10" height="10" fill="${colourOf(index)}"/><text x="${x + 16}" y="${y}">${escapeXml(name)}</text>`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (found) => entities[found] ?? found);
