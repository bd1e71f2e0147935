/** `posthorn sendmail` in the list of commands. It is run without Commander, which knows options of its own kind only. */

import type { CommandTree } from '../define.ts';

export function describeSendmail(tree: CommandTree): void {
  tree.root
    .command('sendmail [recipients...]')
    .description('hand in a message from standard input, as /usr/sbin/sendmail does; -bp lists the queue')
    .option('-t', 'recipients from To, Cc and Bcc, besides those that are named')
    .option('-i', 'a line with a dot alone does not end the message')
    .option('-f <address>', 'the sender, where this user may use it')
    .option('-r <address>', 'the same')
    .option('-F <name>', "the sender's name, for a From that is missing")
    .option('-b <mode>', 'p: list the queue, as mailq; i: nothing, as newaliases; m: hand in, as without')
    .option('-q', 'nothing: the queue is worked off all the time')
    .option('-v', 'say under which name the message was handed in')
    .option(
      '-o <option>',
      'i: the same as -i; others are without effect, like -B, -N, -R, -V, -O, -h, -L, -n, -G, -U',
    )
    .option('-C <file>', 'configuration file');
}
