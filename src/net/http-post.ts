/**
 * Hands something to a filter that speaks HTTP, over TCP or a Unix socket, in clear text: it runs on the same machine, or the
 * same network. One connection for each request, with limits of time and size.
 */

import { once } from 'node:events';
import { FilterError, type FilterPlace } from '../filter/stream.ts';
import type { Clock } from '../util/clock.ts';
import { connectTo, placeText } from './byte-stream.ts';
import { exchange, type HttpAnswer } from './http-exchange.ts';

export interface HttpPost {
  place: FilterPlace;
  path: string;
  headers: Readonly<Record<string, string | string[]>>;
  body: AsyncIterable<Buffer>;
  /** Of `body`: it is sent with its length in front. */
  bodyBytes: number;
  /** Octets of the answer's body. */
  maxBytes: number;
  /** From the connection to the last octet. */
  timeoutMs: number;
}

/** Rejects with a FilterError. */
export type PostToFilter = (post: HttpPost) => Promise<HttpAnswer>;

export function filterPoster(clock: Clock): PostToFilter {
  return async ({ place, path, headers, body, bodyBytes, maxBytes, timeoutMs }) => {
    const socket = connectTo(place);
    let isLate = false;
    const cancel = clock.after(timeoutMs, () => {
      isLate = true;
      socket.destroy(new Error('out of time'));
    });
    const late = () => new FilterError('timeout', `no answer within ${timeoutMs / 1000} s`);
    try {
      await connected(socket, placeText(place));
      const answer = await exchange(socket, {
        method: 'POST',
        path,
        headers: {
          ...headers,
          host: 'socket' in place ? 'localhost' : place.host,
          'content-length': `${bodyBytes}`,
        },
        body,
        maxBytes,
      });
      if (isLate) throw late();
      if ('status' in answer) return answer;
      throw new FilterError(answer.kind === 'size' ? 'lied' : 'down', answer.problem);
    } catch (error) {
      throw isLate ? late() : error;
    } finally {
      cancel();
      socket.destroy();
    }
  };
}

async function connected(socket: ReturnType<typeof connectTo>, where: string): Promise<void> {
  try {
    await once(socket, 'connect');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FilterError('down', `no connection to ${where}: ${message}`, error);
  }
}
