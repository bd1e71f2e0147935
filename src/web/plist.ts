/** Writes property lists in XML, as Apple's PropertyList-1.0 has them. */

import { escapeXml } from '../util/write-xml.ts';

export type PlistValue =
  | string
  | number
  | boolean
  | readonly PlistValue[]
  | { readonly [key: string]: PlistValue };

/** A whole document in UTF-8. Numbers are integers. */
export const writePlist = (root: PlistValue): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${written(root)}</plist>
`;

function written(value: PlistValue): string {
  if (typeof value === 'string') return `<string>${escapeXml(value)}</string>\n`;
  if (typeof value === 'number') return `<integer>${value}</integer>\n`;
  if (typeof value === 'boolean') return value ? '<true/>\n' : '<false/>\n';
  if (isList(value)) return `<array>\n${value.map(written).join('')}</array>\n`;
  const entries = Object.entries(value).map(([key, each]) => `<key>${escapeXml(key)}</key>${written(each)}`);
  return `<dict>\n${entries.join('')}</dict>\n`;
}

const isList = (value: PlistValue): value is readonly PlistValue[] => Array.isArray(value);
