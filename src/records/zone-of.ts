/** Names among zones. */

/** Whether a name is the domain, or below it. */
export const isWithin = (name: string, domain: string): boolean =>
  name === domain || name.endsWith(`.${domain}`);

/** The longest of our domains that the name lies in; else, since nobody has said, what is around its first label. */
export function zoneOf(name: string, domains: readonly string[]): string {
  const [own] = domains.filter((domain) => isWithin(name, domain)).sort((a, b) => b.length - a.length);
  const around = name.slice(name.indexOf('.') + 1);
  return own ?? (around.includes('.') ? around : name);
}
