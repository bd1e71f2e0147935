/** Whether the server can be relied on, put together from its parts: asked by monitors, told by `RunningServer.health()`. */

import type { Clock } from '../util/clock.ts';
import type { Health } from '../util/health.ts';

export interface HealthParts {
  /** Resolves when the store can promise nothing any more. */
  broken: Promise<Error>;
  /** When the certificate ends that is shown to whoever asks for no other, in milliseconds since the epoch; undefined without TLS. */
  certificateEnds(): number | undefined;
  clock: Clock;
}

export interface HealthWatch {
  health(): Health;
  /** Everything listens, and the queue runs. */
  started(): void;
  stopping(): void;
}

const dayMs = 24 * 3600_000;
/** A certificate that ends sooner should have been renewed. */
const soonMs = 7 * dayMs;

export function watchHealth({ broken, certificateEnds, clock }: HealthParts): HealthWatch {
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let failure: Error | undefined;
  void broken.then((error) => {
    failure = error;
  });
  return {
    health() {
      const leftMs = (certificateEnds() ?? Number.POSITIVE_INFINITY) - clock.now();
      const why = [
        ...(failure ? [`the store is broken: ${failure.message}`] : []),
        ...(phase === 'running' ? [] : [`the server is ${phase}`]),
        ...certificateWords(leftMs),
      ];
      return { live: !failure, ready: !failure && phase === 'running' && leftMs > 0, why };
    },
    started() {
      if (phase === 'starting') phase = 'running';
    },
    stopping() {
      phase = 'stopping';
    },
  };
}

function certificateWords(leftMs: number): string[] {
  if (leftMs <= 0) return ['the certificate has expired'];
  return leftMs < soonMs ? [`the certificate ends in ${Math.ceil(leftMs / dayMs)} days or less`] : [];
}
