/**
 * The command of a pipe for one recipient: `${recipient}`, `${user}` (its part before the @, as it is meant, without quotes),
 * `${domain}`, `${sender}` and `${queueId}` in its arguments. Each stays one argument, whatever is in it.
 */

import { parseAddress } from '../../mail/address.ts';
import { replaceVariables, type Variables } from '../../mail/variables.ts';
import type { JobRow } from '../../store/job.ts';
import type { MessageRow } from '../../store/message.ts';

export type PipeCommand = { command: string[] } | { problem: string };

/**
 * An argument that an address has made look like an option is a problem: whoever chose the address would choose what
 * the program does.
 */
export function pipeCommand(words: readonly string[], message: MessageRow, job: JobRow): PipeCommand {
  const [program = '', ...templates] = words;
  const variables = variablesOf(message, job);
  const command = [program];
  for (const template of templates) {
    const word = replaceVariables(template, variables);
    if (word.startsWith('-') && !template.startsWith('-'))
      return { problem: `the argument ${JSON.stringify(word)} would be taken for an option` };
    command.push(word);
  }
  return { command };
}

/** `bob@example.net` has the user `bob`; a recipient that is no address (a bug) is handed over whole. */
function variablesOf({ queueId, reversePath }: MessageRow, { recipient }: JobRow): Variables {
  const address = parseAddress(recipient);
  return {
    recipient,
    user: address?.localPart ?? recipient,
    domain: address?.domain ?? '',
    sender: reversePath,
    queueId,
  };
}
