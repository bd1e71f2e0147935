/** Sizes as people write them: `500M`, `2G`; in powers of 1024, as disks are measured by the programs that fill them. */

const units = ['', 'K', 'M', 'G', 'T'];

/** Octets; undefined for what is no size, or none at all. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = ''] =
    /^(\d{1,15}(?:\.\d{1,3})?)\s*([KMGT]?)(?:iB|B)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(digits) * 1024 ** units.indexOf(unit.toUpperCase()));
  return digits !== '' && bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** In at most three digits or so: `1.5 GiB`. What was clearly meant in thousands stands so: 20000000 is `20 MB`. */
export function formatSize(bytes: number): string {
  if (bytes === 1) return '1 byte';
  return inThousands(bytes) ?? inPowers(bytes);
}

/** Undefined for what is no round number of them, or less than a million: 1000 may be anything. */
function inThousands(bytes: number): string | undefined {
  for (let unit = units.length - 1; unit >= 2; unit--) {
    const value = bytes / 1000 ** unit;
    if (Number.isInteger(value * 10) && value >= 1 && value < 10_000) return `${value} ${units[unit]}B`;
  }
  return undefined;
}

function inPowers(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1024;
  const rounded = value >= 10 || unit === 0 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${rounded} ${units[unit]}${unit === 0 ? 'bytes' : 'iB'}`;
}
