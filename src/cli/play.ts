/** `posthorn playground`: two servers and their DNS in one process, to see a letter travel. */

import type { Context } from './context.ts';
import type { CommandTree } from './define.ts';

export function addPlaygroundCommand(tree: CommandTree, { terminal }: Context): void {
  tree.run(
    tree.root
      .command('playground')
      .description('two servers in one process: send a letter, show its whole road, stay up to try things')
      .option('--once', 'end when the letter has arrived'),
    async ({ once = false }: { once?: boolean }) => {
      const { runPlayground } = await import('./playground.ts');
      return runPlayground({ once, terminal });
    },
  );
}
