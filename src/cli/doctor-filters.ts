/** What `posthorn doctor` says of the filters: whether each is there, and is what the configuration says. */

import type { Config } from '../config/config.ts';
import type { FilterConfig } from '../config/filter.ts';
import { type Examined, found, good, type Section } from '../doctor/finding.ts';
import { filterDialler, placeText } from '../net/byte-stream.ts';
import { filterPoster } from '../net/http-post.ts';
import { type Probed, probeFilter } from '../reception/filters/probe.ts';
import type { Clock } from '../util/clock.ts';

/** Undefined where none is configured. */
export async function filterSection(
  { filters }: Pick<Config, 'filters'>,
  clock: Clock,
): Promise<Section | undefined> {
  if (filters.length === 0) return undefined;
  const parts = { open: filterDialler(clock), post: filterPoster(clock), clock };
  const examined = filters.map(async (filter) => examinedOf(filter, await probeFilter(parts, filter)));
  return { section: 'filters', examined: await Promise.all(examined) };
}

function examinedOf({ name, kind, place, whenDown }: FilterConfig, probed: Probed): Examined {
  const isThere = 'answer' in probed;
  const without = whenDown === 'defer' ? 'mail is deferred' : 'mail is accepted without it';
  return {
    name: `${name}, ${kind} at ${placeText(place)}`,
    verdict: isThere ? 'it is asked' : without,
    isDomain: true,
    findings: [
      isThere
        ? good('the filter', probed.answer)
        : found('filter-down', {
            about: name,
            evidence: probed.problem,
            remedy: `Start it, or mend where its [[filter]] says that it is: ${placeText(place)}.`,
          }),
    ],
  };
}
