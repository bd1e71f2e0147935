/** The program: arguments → command → exit code. The only file that ends the process. */

import { processTerminal } from './cli/terminal.ts';
import { systemClock } from './util/clock.ts';

// A reader that had enough (`posthorn trace … | head`) is no error. A command that cleans up at a signal gets one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(74);
  if (process.listenerCount('SIGTERM') === 0) process.exit(0);
  process.kill(process.pid, 'SIGTERM');
});
// With `2>&1` the two have one reader: stdout hears of it as well. On its own, it leaves the results as they are.
process.stderr.on('error', () => undefined);

const [first, ...rest] = process.argv.slice(2);
// Programs wait for it, and it needs next to nothing of the other commands.
const exitCode = await (first === 'sendmail' ? handIn(rest) : command(process.argv.slice(2)));
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(exitCode);

/** What a slow reader of a pipe has not taken yet would be lost with the process. Resolves where nobody reads, too. */
function written(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

async function command(args: readonly string[]): Promise<number> {
  const { run } = await import('./cli/run.ts');
  return run(args, { terminal: processTerminal(), clock: systemClock });
}

async function handIn(args: readonly string[]): Promise<number> {
  const { sendmail } = await import('./cli/sendmail/sendmail.ts');
  return sendmail(args, processTerminal(), command);
}
