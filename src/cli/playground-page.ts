/** How the playground's tour looks: headings, paragraphs, quotations. Knows nothing of what it tells. */

import { styleText } from 'node:util';
import { printable } from '../dossier/printable.ts';
import type { Terminal } from './terminal.ts';

const margin = '    ';

export class Page {
  readonly colour: boolean;
  readonly #out: (text: string) => void;
  #chapter = 0;

  constructor(terminal: Terminal) {
    this.colour = terminal.outIsTty && !terminal.env.NO_COLOR; // no-color.org
    this.#out = terminal.out;
  }

  /** A heading without a number, and what it is about. */
  title(text: string): void {
    this.#out(`\n${this.#paint('bold', text)}\n`);
  }

  heading(text: string): void {
    this.#chapter += 1;
    const line = `${this.#chapter}. ${text}`;
    this.#out(`\n\n${this.#paint('bold', line)}\n${this.#paint('dim', '='.repeat(line.length))}\n`);
  }

  /** A paragraph, in lines as they shall stand. */
  say(...lines: string[]): void {
    this.#out(`\n${lines.join('\n')}\n`);
  }

  /** A remark above what is quoted below it. */
  remark(text: string): void {
    this.#out(`\n${margin}${this.#paint('dim', `# ${text}`)}\n`);
  }

  /** Lines set off from the text; made safe for a terminal, as they may come from elsewhere. */
  quote(lines: readonly string[]): void {
    for (const line of lines) this.#out(line === '' ? '\n' : `${margin}${printable(line)}\n`);
  }

  /** A message as its lines. */
  quoteMessage(message: Buffer): void {
    this.#out('\n');
    this.quote(message.toString().trimEnd().split('\r\n'));
  }

  /** A line to be copied and run, at the left edge, so that it is selected whole and alone. */
  command(purpose: string, text: string): void {
    this.#out(`\n${this.#paint('dim', `# ${purpose}`)}\n${this.#paint('cyan', text)}\n`);
  }

  #paint(style: 'bold' | 'dim' | 'cyan', text: string): string {
    return this.colour ? styleText(style, text, { validateStream: false }) : text;
  }
}
