/** Who sends letter number N to whom, which way it goes in, and how it is known again when it comes out. */

export const accounts: readonly string[] = Array.from(
  { length: 10 },
  (_, index) => `user${index}@example.com`,
);
export const password = 'a password of the benchmark';

/** Domain of the recipients elsewhere. */
const elsewhere = 'example.net';

export interface Envelope {
  from: string;
  to: string;
  /** Whether it stays here, in a Maildir. */
  local: boolean;
  /** By TLS and AUTH as users do, or over port 25 from a trusted network as programs do. */
  via: 'submissions' | 'smtp';
}

/** The four kinds in turn: two ways in, two ways out. */
export function envelopeOf(number: number): Envelope {
  const account = (index: number) => accounts[index % accounts.length] ?? '';
  const local = number % 2 === 0;
  return {
    from: account(number),
    to: local ? account(number >> 1) : `recipient${number}@${elsewhere}`,
    local,
    via: (number >> 1) % 2 === 0 ? 'submissions' : 'smtp',
  };
}

/** The header section with its blank line. Short enough lines, and complete, so that nobody adds anything inside. */
export function headerOf(number: number): string {
  const { from, to } = envelopeOf(number);
  const fields = [
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: letter ${number}`,
    'Date: Mon, 21 Nov 2022 10:00:00 +0000',
    `Message-ID: <large-${number}@example.com>`,
  ];
  return `${fields.join('\r\n')}\r\n\r\n`;
}

/** The number in a letter's header section. */
export function numberIn(header: string): number | undefined {
  const digits = /^Subject: letter (\d+)/m.exec(header)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
