/** The program: arguments → command → exit code. The only file that ends the process. */

import { run } from './cli/run.ts';
import { processTerminal } from './cli/terminal.ts';
import { systemClock } from './util/clock.ts';

// A reader that had enough (`posthorn trace … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));

process.exit(await run(process.argv.slice(2), { terminal: processTerminal(), clock: systemClock }));
