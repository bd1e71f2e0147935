/** Values of labels: few, whatever the world is. Each one is a series of its own to whoever keeps them. */

/** Names that are told apart; what comes later is `other`. */
export const maxNames = 200;

/** Keeps the first names, in the order they come. */
export function nameLabels(max = maxNames): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= max) return 'other';
    known.add(name);
    return name;
  };
}

/** Of an enhanced status code class and subject (RFC 3463 §2): `5.7`. The detail may be anything. */
export function statusLabel(status: string | undefined): string {
  const [found] = /^[245]\.\d(?=\.)/.exec(status ?? '') ?? [];
  return found ?? 'none';
}

/** The enhanced status of a reply's text, else its first digit. */
export function replyLabel(reply: string): string {
  const [, code = '', status] = /^([245])\d\d[ -]([245]\.\d+\.\d+)?/.exec(reply) ?? [];
  return status === undefined ? (code === '' ? 'none' : `${code}.0`) : statusLabel(status);
}
