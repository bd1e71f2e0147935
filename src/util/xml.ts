/**
 * Reads XML of strangers: elements and their text, nothing else (XML 1.0). There is no document type and there are no
 * entities but the five predefined and characters by number: what declares or uses others is refused before anything is
 * expanded. Attributes are read over. One pass, bounded by named limits.
 */

export interface XmlElement {
  /** Without its prefix. */
  name: string;
  children: XmlElement[];
  /** Its own, that of its children left out. */
  text: string;
}

export interface XmlLimits {
  /** Elements within one another. */
  depth: number;
  elements: number;
  /** Of one element. */
  attributes: number;
}

export const defaultXmlLimits: XmlLimits = { depth: 30, elements: 500_000, attributes: 30 };

/** What is wrong with it, for people: the words go on after "it cannot be read: ". */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

/** Characters of a name or of a reference: longer ones are none. */
const maxNameLength = 200;
const nameStart = /[\p{L}_:]/u;
const nameEnd = /[^\p{L}\p{N}_:.\-\u00b7]/u;
const blank = /[ \t\r\n]/;
const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Throws an XmlError. */
export function parseXml(octets: Buffer, limits: Partial<XmlLimits> = {}): XmlElement {
  return new Reader(textOf(octets), { ...defaultXmlLimits, ...limits }).document();
}

/** By its byte order mark or its declaration, else as UTF-8. */
function textOf(octets: Buffer): string {
  const [, declared] =
    /^<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.-]{1,40})["']/.exec(octets.toString('latin1', 0, 300)) ??
    [];
  const isWide = (octets[0] === 0xff && octets[1] === 0xfe) || (octets[0] === 0xfe && octets[1] === 0xff);
  const label = isWide ? (octets[0] === 0xff ? 'utf-16le' : 'utf-16be') : (declared ?? 'utf-8');
  try {
    return new TextDecoder(label).decode(octets);
  } catch (error) {
    if (error instanceof RangeError) throw new XmlError(`nothing here reads its encoding, "${label}"`);
    throw error;
  }
}

class Reader {
  readonly #text: string;
  readonly #limits: XmlLimits;
  #at = 0;
  #elements = 0;
  readonly #open: XmlElement[] = [];
  /** Of the open ones, with their prefixes. */
  readonly #names: string[] = [];
  #root: XmlElement | undefined;

  constructor(text: string, limits: XmlLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  document(): XmlElement {
    if (/^<\?xml\s/.test(this.#text.slice(0, 6))) this.#at = this.#after('?>', 'its declaration');
    while (this.#at < this.#text.length) this.#next();
    if (this.#root === undefined) throw new XmlError('there is no element in it');
    if (this.#open.length > 0) throw new XmlError(`the element "${this.#open.at(-1)?.name}" does not end`);
    return this.#root;
  }

  /** Text up to the next mark, or the mark. */
  #next(): void {
    const text = this.#text;
    if (text.charCodeAt(this.#at) !== 0x3c) this.#characters();
    else if (text.startsWith('</', this.#at)) this.#endTag();
    else if (text.startsWith('<!--', this.#at)) this.#at = this.#after('-->', 'a comment');
    else if (text.startsWith('<![CDATA[', this.#at)) this.#cdata();
    else if (text.startsWith('<!', this.#at))
      throw new XmlError('it declares a document type or entities, which are not read');
    else if (text.startsWith('<?', this.#at))
      throw new XmlError('it holds an instruction to a program, which is not read');
    else this.#startTag();
  }

  #characters(): void {
    const mark = this.#text.indexOf('<', this.#at);
    const end = mark === -1 ? this.#text.length : mark;
    this.#put(decoded(this.#text.slice(this.#at, end)));
    this.#at = end;
  }

  #cdata(): void {
    const end = this.#after(']]>', 'a CDATA section');
    this.#put(this.#text.slice(this.#at + 9, end - 3));
    this.#at = end;
  }

  #put(text: string): void {
    const owner = this.#open.at(-1);
    if (owner !== undefined) owner.text += text;
    else if (text.trim() !== '') throw new XmlError('text stands outside of its element');
  }

  #startTag(): void {
    this.#at += 1;
    const name = this.#name();
    const element: XmlElement = { name: name.slice(name.lastIndexOf(':') + 1), children: [], text: '' };
    this.#enter(element);
    this.#names.push(name);
    for (let count = 0; ; count += 1) {
      const spaced = this.#skipBlank();
      if (this.#text.startsWith('/>', this.#at)) {
        this.#at += 2;
        this.#close();
        return;
      }
      if (this.#text[this.#at] === '>') {
        this.#at += 1;
        return;
      }
      if (!spaced || count >= this.#limits.attributes)
        throw new XmlError(spaced ? `an element has over ${count} attributes` : 'a tag does not end');
      this.#attribute();
    }
  }

  #enter(element: XmlElement): void {
    const parent = this.#open.at(-1);
    this.#elements += 1;
    if (parent === undefined && this.#root !== undefined) throw new XmlError('it has two outermost elements');
    if (this.#open.length >= this.#limits.depth)
      throw new XmlError(`its elements lie more than ${this.#limits.depth} deep`);
    if (this.#elements > this.#limits.elements)
      throw new XmlError(`it has over ${this.#limits.elements} elements`);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    this.#open.push(element);
  }

  #attribute(): void {
    this.#name();
    this.#skipBlank();
    if (this.#text[this.#at] !== '=') throw new XmlError('an attribute has no value');
    this.#at += 1;
    this.#skipBlank();
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") throw new XmlError('the value of an attribute is not quoted');
    this.#at += 1;
    const end = this.#text.indexOf(quote, this.#at);
    const value = this.#text.slice(this.#at, end);
    if (end === -1 || value.includes('<')) throw new XmlError('the value of an attribute does not end');
    decoded(value);
    this.#at = end + 1;
  }

  #endTag(): void {
    this.#at += 2;
    const name = this.#name();
    this.#skipBlank();
    if (this.#text[this.#at] !== '>' || this.#names.at(-1) !== name)
      throw new XmlError(`"${name}" ends where it is not open`);
    this.#at += 1;
    this.#close();
  }

  #close(): void {
    this.#open.pop();
    this.#names.pop();
  }

  #name(): string {
    const start = this.#at;
    const rest = this.#text.slice(start, start + maxNameLength + 1);
    const end = rest.search(nameEnd);
    const length = end === -1 ? rest.length : end;
    if (length < 1 || length > maxNameLength || !nameStart.test(rest.charAt(0)))
      throw new XmlError('a name is missing, or is none');
    this.#at = start + length;
    return rest.slice(0, length);
  }

  /** Whether there was any. */
  #skipBlank(): boolean {
    const start = this.#at;
    while (blank.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#at > start;
  }

  #after(mark: string, what: string): number {
    const at = this.#text.indexOf(mark, this.#at);
    if (at === -1) throw new XmlError(`${what} does not end`);
    return at + mark.length;
  }
}

/** Its references read; each of them is at most as long as what it stands for is written. */
function decoded(text: string): string {
  let result = '';
  let from = 0;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', from)) {
    const end = text.slice(at, at + maxNameLength).indexOf(';');
    result += text.slice(from, at) + referenced(end === -1 ? '' : text.slice(at + 1, at + end));
    from = at + end + 1;
  }
  return from === 0 ? text : result + text.slice(from);
}

function referenced(reference: string): string {
  const known = Object.hasOwn(predefined, reference) ? predefined[reference] : undefined;
  if (known !== undefined) return known;
  const [, hex, decimal] = /^#(?:x([\da-f]{1,6})|(\d{1,7}))$/i.exec(reference) ?? [];
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code);
  if (reference.startsWith('#')) throw new XmlError('it refers to a character that there is not');
  throw new XmlError('it uses an entity of its own, or a bare "&"');
}
