/** Shows a message to clamd; whatever comes of it is a fact. */

import type { FilterConfig } from '../../config/filter.ts';
import { ask, scan } from '../../filter/clamd/clamd.ts';
import type { ClamdFact, UnknownFact } from '../../filter/fact.ts';
import {
  Deadline,
  FilterError,
  type FilterPlace,
  type FilterStream,
  type OpenFilterStream,
} from '../../filter/stream.ts';
import { readContent } from '../../store/content.ts';
import type { Content } from '../../store/message.ts';
import type { Clock } from '../../util/clock.ts';

/** Whoever breaks off and answers otherwise has had enough of this message. Rejects with a FilterError. */
async function mustBeAlive(open: OpenFilterStream, place: FilterPlace, deadline: Deadline): Promise<void> {
  const stream = await open(place, deadline.leftMs());
  try {
    const answer = await ask(stream, 'PING', deadline);
    if (answer !== 'PONG') throw new FilterError('lied', `it answers a PING with ${answer}`);
  } finally {
    stream.close();
  }
}

const overItsLimit = "it takes less: its StreamMaxLength is below this filter's maxBytes";

export async function askClamd(
  { open, clock }: { open: OpenFilterStream; clock: Clock },
  { name, place, times, whenDown }: FilterConfig,
  content: Content,
): Promise<ClamdFact | UnknownFact> {
  const startedAt = clock.now();
  const spentMs = () => clock.now() - startedAt;
  const deadline = new Deadline(clock.now, times);
  let stream: FilterStream | undefined;
  try {
    stream = await open(place, deadline.leftMs());
    const answer = await scan(stream, readContent(content), deadline);
    if (answer === 'brokenOff') await mustBeAlive(open, place, deadline);
    const fact = { name, kind: 'clamd' as const, durationMs: spentMs() };
    // It would be too large the next time too: nothing to wait for.
    if (answer === 'tooLarge' || answer === 'brokenOff')
      return { ...fact, unknown: 'tooLarge', problem: overItsLimit, whenDown: 'accept' };
    return answer === 'clean' ? fact : { ...fact, malware: answer.malware };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { kind: unknown, message: problem } = error;
    return { name, kind: 'clamd', durationMs: spentMs(), unknown, problem, whenDown };
  } finally {
    stream?.close();
  }
}
