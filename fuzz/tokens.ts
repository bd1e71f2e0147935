/** Pieces of text that mean something somewhere, for mutations to put in and for long runs to repeat. */

/** Tokens separated by spaces; `␣` stands for a space in them. One character is one octet. */
const tokens = (...lines: readonly string[]): Buffer[] =>
  lines
    .join(' ')
    .split(' ')
    .map((token) => Buffer.from(token.replaceAll('␣', ' '), 'latin1'));

/** Line ends, dots, quotes, brackets, separators, signs of encodings, edges of ranges, names that objects have. */
export const specials: readonly Buffer[] = tokens(
  '\0 \r \n \r\n \r\n\r\n \n.\n \r\n.\r\n .\r\n \r\n. \t ␣ \r\n␣ . .. @ < > <> " \\ \\" ( ) [ ] { } , ; : = % %{ %{d}',
  "=? ?= * # ' / - -- 0 -1 65536 4294967296 99999999999999999999 NaN \x7f \x80 \xc0 \xff \xc3\xbc \xf0\x9f\x93\xaf",
  '\xef\xbb\xbf \xed\xa0\x80 \xe2\x80\xa8 \x1e \x1b[2J __proto__ constructor null ../',
);

/** Beginnings that are never ended, separators without anything between, folds, escapes, and what the grammars repeat. */
export const patterns: readonly Buffer[] = tokens(
  'a@ a@b, <a@b>, @a a. .. () (a )( << <> <a ,; ;a a; =? =?a?q? ?= \r\n \r\n␣ \n␣ \n\n \r\r \r\n. \r\n.. \n.\n \\\\ \\" "" "a "␣',
  '[[ [a [] {{ %{ %{d %% a␣b ␣␣a \t␣ a: a:␣b\r\n a= a=b; a=b␣ v=1; %41 =0 \0a \xc3\xbc \xe2\x82\xac \xff\xfe xn-- -. 1. :: 0:',
  '*, a, "", ""\n "\n a␣=␣1\n [[a]]\n a.b. #\n \'\'\' """ ip4: include:a␣ mx␣ 250-a\r\n 250␣a\r\n {} {"a": \xc0\x00 \xc0\x0c \x01a',
);

/** Every octet. */
export const singles: readonly Buffer[] = Array.from({ length: 256 }, (_, octet) => Buffer.of(octet));

/** Of the octets that grammars treat alike (letters, digits, those beyond ASCII), a few. */
export const distinctSingles: readonly Buffer[] = singles.filter((octet) =>
  /^[^A-Za-z0-9\x80-\xff]|[aZ0\x80\xa0\xc3\xe2\xff]$/.test(octet.toString('latin1')),
);

/** What is kept between the octets of these differs, when they come one by one. */
export const trickles: readonly Buffer[] = tokens('a \0 \r\n \r . \r\n. a:␣b\r\n 250-a\r\n');
