/** `posthorn check`: whether mail for an address would arrive, without sending any, and how that was found out (M11). */

import { styleText } from 'node:util';
import { findServer } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import type { AddressVerdict, CheckStep } from '../delivery/check/callout.ts';
import type { AddressCheck } from '../delivery/check/check-address.ts';
import { printable } from '../dossier/printable.ts';
import { formatLines } from '../dossier/timeline.ts';
import { type CommonOptions, type Context, configOf, printJson } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { usesColour } from './trace.ts';

interface CheckOptions extends CommonOptions {
  dialogue?: boolean;
  fresh?: boolean;
}

export function addCheckCommand(tree: CommandTree, context: Context): void {
  tree.run(
    tree
      .add(
        tree.root,
        'check <address>',
        'tell whether mail for an address would arrive, without sending any: DNS, then a question to its server',
      )
      .option('--dialogue', 'show what was said to the server, line by line')
      .option('--fresh', 'ask again, whatever the running server remembers')
      .option('--json', 'print JSON'),
    async (options: CheckOptions, address: string) => {
      const found = await check(context, options, address);
      if (options.json) printJson(context, found);
      else show(context, options, found);
      return codes[found.verdict];
    },
  );
}

const codes: Record<AddressVerdict, ExitCode> = {
  deliverable: exitCodes.ok,
  undeliverable: exitCodes.undeliverable,
  'cannot tell': exitCodes.unclear,
};

/** By the running server, which remembers answers and bounds the questions; else from here. */
async function check(context: Context, options: CheckOptions, address: string): Promise<AddressCheck> {
  const config = await configOf(context, options);
  const admin = await findServer(config);
  if (admin === undefined) return checkFromHere(context, config, address);
  try {
    return await admin.checkAddress({ address, ...(options.fresh && { fresh: true }) });
  } finally {
    await admin.close();
  }
}

async function checkFromHere({ clock }: Context, config: Config, address: string): Promise<AddressCheck> {
  const { checkDirectly } = await import('../delivery/check/check-directly.ts');
  return checkDirectly(config, address, clock);
}

const styles = { good: 'green', bad: 'red', unclear: 'yellow' } as const;
const verdictStyles = { deliverable: 'green', undeliverable: 'red', 'cannot tell': 'yellow' } as const;

function show(context: Context, { dialogue }: CheckOptions, found: AddressCheck): void {
  const colour = usesColour(context);
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const age = context.clock.now() - found.checkedAt;
  const verdict = paint(verdictStyles[found.verdict], found.verdict);
  const lines = [
    `${printable(found.address)}: ${verdict}`,
    printable(found.why),
    ...(age - found.durationMs > rememberedMs
      ? [`This is what was found at ${new Date(found.checkedAt).toISOString()}. To ask again: --fresh`]
      : []),
    '',
    ...found.steps.flatMap((step) => linesOf(step, paint(styles[step.finding], step.step.padEnd(8)))),
  ];
  context.terminal.out(`${lines.join('\n')}\n`);
  if (dialogue && found.dialogue.length > 0)
    context.terminal.out(`\n${formatLines(found.dialogue, { colour })}`);
}

/** An answer that is older than this was remembered. */
const rememberedMs = 1000;

function linesOf({ text, evidence }: CheckStep, name: string): string[] {
  return [`${name}  ${printable(text)}`, ...evidence.map((line) => `          ${printable(line)}`)];
}
