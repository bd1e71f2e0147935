/** A resolver of whose look-ups somebody hears: what was asked for, what came of it, and how long it took. */

import type { Answer, RecordType, Resolver } from './resolver.ts';

export interface LookUp {
  type: RecordType;
  /** Nothing is known of the name, the name has no such record, or nobody could say. */
  outcome: 'found' | 'nxdomain' | 'nodata' | 'failed';
  durationMs: number;
}

export type OnLookUp = (lookUp: LookUp) => void;

/** One that was aborted, since nobody wants to know any more, is not told. `now` is in ms, of any origin. */
export function watchedResolver(
  resolver: Resolver,
  onLookUp: OnLookUp,
  now: () => number = () => performance.now(),
): Resolver {
  return {
    async resolve(name, type, signal) {
      const startedAt = now();
      const answer = await resolver.resolve(name, type, signal);
      onLookUp({ type, outcome: outcomeOf(answer), durationMs: now() - startedAt });
      return answer;
    },
  };
}

const outcomeOf = (answer: Answer<unknown>): LookUp['outcome'] =>
  answer.status === 'none' ? answer.reason : answer.status;
