/** Writes XML 1.0: elements with text or elements in them, indented for people. */

export type XmlContent = string | number | readonly XmlNode[];

export type XmlNode = readonly [
  name: string,
  content: XmlContent,
  attributes?: Readonly<Record<string, string>>,
];

/** A whole document in UTF-8. */
export const writeXml = (root: XmlNode): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${written(root, '')}`;

function written([name, content, attributes = {}]: XmlNode, indent: string): string {
  const start = [
    name,
    ...Object.entries(attributes).map(
      ([key, value]) => `${key}="${escapeXml(value).replaceAll('"', '&quot;')}"`,
    ),
  ];
  const open = `${indent}<${start.join(' ')}>`;
  if (typeof content !== 'object') return `${open}${escapeXml(String(content))}</${name}>\n`;
  const inner = content.map((node) => written(node, `${indent}  `)).join('');
  return `${open}\n${inner}${indent}</${name}>\n`;
}

/** For text. What XML 1.0 has no way to write becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
