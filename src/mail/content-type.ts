/** The value of a Content-Type field (RFC 2045 §5.1): what it names, lower-case, and its parameters. Knows no body. */

export interface ContentType {
  /** `text`, `multipart`; lower-case. */
  type: string;
  /** `plain`, `mixed`; lower-case. */
  subtype: string;
  /** By lower-case name; of a repeated one the first. Those in pieces (RFC 2231 §3) are not put together. */
  parameters: ReadonlyMap<string, string>;
}

/** White space and comments, which may stand between any two tokens (RFC 5322 §3.2.2). */
const cfws = String.raw`(?:\s|\([^()]*\))*`;
/** Wider than RFC 2045's: real ones hold `:` and `?`. */
const token = String.raw`[^\s()<>"/;=,]+`;
const namePattern = new RegExp(`^${cfws}(${token})${cfws}/${cfws}(${token})`, 'u');
/** Unquoted values with `/` and `=` are common, against the grammar. */
const parameterPattern = new RegExp(
  String.raw`;${cfws}(${token})${cfws}=${cfws}(?:"((?:[^"\\]|\\.)*)"|([^\s()<>";,]+))`,
  'gsu',
);

/** Undefined where no type and subtype can be read. `value` is unfolded. */
export function parseContentType(value: string): ContentType | undefined {
  const [found, type, subtype] = namePattern.exec(value) ?? [];
  if (found === undefined || type === undefined || subtype === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of value.slice(found.length).matchAll(parameterPattern)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/gsu, '$1') ?? plain);
  }
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), parameters };
}
