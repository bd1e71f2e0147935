/** What `/metrics` shows, in the text format of Prometheus, version 0.0.4. */

import type { Health } from '../util/health.ts';

export interface MetricsParts {
  health(): Health;
}

export const metricsText =
  ({ health }: MetricsParts) =>
  async (): Promise<string> => {
    const { live, ready } = health();
    const startedAt = Date.now() / 1000 - process.uptime();
    return [
      gauge('posthorn_live', 'Whether what is on disk can be relied on.', Number(live)),
      gauge('posthorn_ready', 'Whether mail is taken in and sent on.', Number(ready)),
      gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', process.memoryUsage.rss()),
      gauge('process_start_time_seconds', 'Start of the process, in seconds since the epoch.', startedAt),
    ].join('');
  };

const gauge = (name: string, help: string, value: number): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
