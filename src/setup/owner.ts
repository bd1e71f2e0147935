/** Whom the server runs as: the user of the machine to whom its files belong. */

export const userName = 'posthorn';

/** Who owns the files. */
export interface Owner {
  uid: number;
  gid: number;
}
