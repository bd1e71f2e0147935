/**
 * The server without systemd: started as the user whose the data is, with the one right of root's that low ports need.
 * setpriv(1). What root itself made in the data directory, that user could not read.
 */

export interface ByHand {
  /** A name, or a number. */
  user: string;
  group: string;
  program: string;
  /** After `serve`. */
  words?: readonly string[];
}

export function startByHand({ user, group, program, words = [] }: ByHand): string {
  const rights = '-all,+net_bind_service';
  const command = [program, 'serve', ...words].join(' ');
  return `setpriv --reuid=${user} --regid=${group} --init-groups --inh-caps=${rights} --ambient-caps=${rights} ${command}`;
}
