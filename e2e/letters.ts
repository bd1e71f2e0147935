/** Messages to send: complete as RFC 5322 wants them, so that no server has a reason to add anything inside. */

export interface LetterOptions {
  from: string;
  to: string;
  /** A word that is nowhere else: makes Subject and Message-ID unique. */
  id: string;
  /** CRLF line ends. */
  body?: string;
}

/** A letter as octets, CRLF line ends. */
export function letter({ from, to, id, body = 'Good day.\r\n' }: LetterOptions): Buffer {
  const header = [
    `From: Sender <${from}>`,
    `To: Recipient <${to}>`,
    `Subject: ${id}`,
    'Date: Mon, 21 Nov 2022 10:00:00 +0000',
    `Message-ID: <${id}@letters.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  return Buffer.from(`${header.join('\r\n')}\r\n\r\n${body}`);
}

/** A body in which everything is allowed and something usually gets lost. */
export const awkwardBody = [
  '',
  '.',
  '..',
  '.leading dot',
  'From the beginning of a line',
  'trailing blanks  \t',
  `Umlaute: äöüß, ${'x'.repeat(900)}`,
  '\tindented',
  '-- ',
  '',
  '',
  '',
].join('\r\n');
