/** What an operator did to a message that waited, in plain language. */

import type { DossierEvent } from './event.ts';
import type { Step } from './step.ts';
import { momentOf } from './words.ts';

export type Order = Extract<
  DossierEvent,
  {
    event:
      | 'held'
      | 'released'
      | 'retried'
      | 'readdressed'
      | 'dropped'
      | 'suspended'
      | 'resumed'
      | 'unsuppressed';
  }
>;

export function describeOrder(event: Order): Step {
  const { title, details, mood } = wordsFor(event);
  const { reason } = event.data;
  return { title, details: [...(reason === undefined ? [] : [`why: ${reason}`]), ...details], mood };
}

function wordsFor(event: Order): Step {
  switch (event.event) {
    case 'held':
      return step(
        `Put on hold by ${event.data.by}`,
        'waiting',
        'nothing is tried until it is released, and its time stands still',
      );
    case 'released':
      return step(`Released from hold by ${event.data.by}`, 'plain');
    case 'retried':
      return step(`Due now: ${event.data.by} asked for an attempt`, 'plain');
    case 'readdressed':
      return step(
        `Sent to <${event.data.to}> instead, by ${event.data.by}`,
        'plain',
        'for this address nothing more is tried',
      );
    case 'dropped':
      return step(`Removed from the queue by ${event.data.by}`, 'bad', 'no further attempt is made');
    case 'unsuppressed':
      return step(
        `Mail to <${event.recipient ?? event.data.to ?? '?'}> is no longer refused: ${event.data.by} ended that`,
        'plain',
      );
    case 'suspended':
      return describeSuspended(event);
    case 'resumed': {
      const { by } = event.data;
      return step(
        `${whatOf(event.data)}: resumed${by === undefined ? ', since its time was over' : ` by ${by}`}`,
        'plain',
      );
    }
  }
}

const step = (title: string, mood: Step['mood'], ...details: string[]): Step => ({ title, details, mood });

function describeSuspended({ at, data }: Extract<Order, { event: 'suspended' }>): Step {
  const end = data.until === undefined ? 'until it is resumed' : `until ${momentOf(data.until, at)}`;
  return step(`${whatOf(data)}: suspended by ${data.by}`, 'waiting', `nothing is tried ${end}`);
}

function whatOf({ scope, name }: { scope: 'all' | 'domain' | 'site'; name: string }): string {
  if (scope === 'all') return 'All delivery';
  return scope === 'domain' ? `Mail to ${name}` : `The site ${name}`;
}
