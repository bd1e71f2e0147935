/** Lets a limited number in at once; the others wait in the order they came, and they too are limited. */

export interface Turnstile {
  /** Resolves to true when it is one's turn, to false when too many wait already; rejects when the signal is aborted. */
  enter(signal?: AbortSignal): Promise<boolean>;
  /** To be called once by everybody who was let in. */
  leave(): void;
}

export function turnstile(maxInside: number, maxWaiting = Number.POSITIVE_INFINITY): Turnstile {
  let inside = 0;
  const waiting = new Set<() => void>();

  function waitForTurn(signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        waiting.delete(enter);
        reject(signal?.reason);
      };
      const enter = () => {
        signal?.removeEventListener('abort', abort);
        resolve(true);
      };
      signal?.addEventListener('abort', abort, { once: true });
      waiting.add(enter);
    });
  }

  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (inside === maxInside) return waiting.size < maxWaiting && waitForTurn(signal);
      inside += 1;
      return true;
    },
    leave() {
      const [next] = waiting;
      if (next === undefined) {
        inside -= 1;
        return;
      }
      // The place is handed on and `inside` stays as it is.
      waiting.delete(next);
      next();
    },
  };
}
