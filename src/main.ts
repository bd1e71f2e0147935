/** The program: arguments → command → exit code. The only file that ends the process. */

import { run } from './cli/run.ts';
import { processTerminal } from './cli/terminal.ts';
import { systemClock } from './util/clock.ts';

// A reader that had enough (`posthorn trace … | head`) is no error. A command that cleans up at a signal gets one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(74);
  if (process.listenerCount('SIGTERM') === 0) process.exit(0);
  process.kill(process.pid, 'SIGTERM');
});

process.exit(await run(process.argv.slice(2), { terminal: processTerminal(), clock: systemClock }));
