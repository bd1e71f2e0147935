/** Lists of addresses in header fields: each that is found can be written down and is the same then. */

import { formatAddress, parseAddress } from '../../src/mail/address.ts';
import { mailboxesOf } from '../../src/mail/mailboxes.ts';
import { octetsOf, readTestdata, textsIn } from '../corpus.ts';
import { mailboxList } from '../grammar/addresses.ts';
import { between, demandSame, type Target } from './target.ts';

export const mailboxes: Target = {
  name: 'mailboxes',
  seeds: () => octetsOf(textsIn(readTestdata('mime/address.json'), 'header')),
  generate: (random) => Buffer.from(mailboxList(random)),
  read: (input) => mailboxesOf(input.toString('utf8')),
  check(input) {
    for (const { localPart, domain } of mailboxesOf(input.toString('utf8'))?.mailboxes ?? []) {
      const written = formatAddress({ localPart, domain });
      demandSame(`the address ${written}`, { localPart, domain }, parseAddress(written));
    }
  },
  places: [between('a <'), between('"'), between('('), between('g: ', ';')],
};
