/** What is wrong with a file of the store, as data and in words. */

export interface Damage {
  /** Absolute path. */
  file: string;
  /** A sentence without its subject, which is the file, or the page. */
  what: string;
  page?: number;
  /** Which table the page belongs to, where that can still be told. */
  table?: string;
}

/** `page 17 (messages) is not as it was written`. */
export function describeDamage({ what, page, table }: Omit<Damage, 'file'>): string {
  if (page === undefined) return what;
  return `page ${page}${table === undefined ? '' : ` (${table})`} ${what}`;
}
