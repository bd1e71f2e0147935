/** Conditions over the message itself. */

import { type Condition, no, unknown, yes } from '../condition.ts';
import type { AttachmentsFact } from '../facts.ts';

export const contentConditions = {
  always: {
    about: 'every message',
    needs: [],
    find: () => yes('it holds for every message'),
  },
  size: {
    about: 'the message has more octets than that; K and M stand for KiB and MiB',
    argument: {
      about: '> and a size',
      isValid: (argument) => octetsIn(argument) !== undefined,
      example: '>10M',
    },
    needs: ['sizeBytes'],
    find({ facts: { sizeBytes = 0 } }, argument) {
      const limit = octetsIn(argument) ?? Number.POSITIVE_INFINITY;
      const why = `the message has ${sizeBytes} octets`;
      return sizeBytes > limit ? yes(`${why}, more than ${argument.slice(1)}`) : no(why);
    },
    remedy: (_, argument) => `it had no more than ${argument.slice(1)} octets`,
    refusal: (_, argument) => [
      `Refused: the message is larger than ${argument.slice(1)}; send less, or a link`,
    ],
  },
  attachment: {
    about:
      'something attached, in a zip archive or an attached message too, has a name with one of these endings, or one of these ' +
      'content types; programs: whatever a double click starts; macros: documents that may hold programs; unreadable: not all could be looked at',
    argument: {
      about:
        'endings of names without the dot, content types, programs, macros, unreadable, separated by commas',
      isValid: (argument) => kindPattern.test(argument),
      example: 'exe,scr,js,application/x-msdownload',
    },
    needs: ['attachments'],
    find({ facts: { attachments = noAttachments } }, argument) {
      const { names, extensions, types, cut } = attachments;
      const kinds = kindsOf(argument);
      const extension = extensions.find((each) => kinds.has(each));
      if (extension !== undefined) {
        const name =
          names.find((each) => each.toLowerCase().includes(`.${extension}`)) ?? `something.${extension}`;
        return yes(`"${name}" is attached, which ends in ${extension}`);
      }
      const type = types.find((each) => kinds.has(each));
      if (type !== undefined) return yes(`something of the type ${type} is attached`);
      if (cut === undefined) return no('nothing of that kind is attached');
      const why = `not all was looked at: ${cut}`;
      return kinds.has('unreadable') ? yes(why) : unknown(why);
    },
    remedy: () => 'that were not attached',
    refusal: (_, argument) => [
      `Refused: attachments of this kind are not taken (${argument}). Send a link, or another format`,
    ],
  },
  'unasked-report': {
    about: 'a delivery report about a message that was not sent from here',
    needs: ['report'],
    find: ({ facts: { report } }) =>
      report?.unasked ? yes(report.why) : no(report?.why ?? 'it is no delivery report'),
    remedy: () => 'it reported on a message that was sent from here',
  },
} as const satisfies Record<string, Condition>;

/** What `>10M` stands for; undefined for what is no size. */
function octetsIn(argument: string): number | undefined {
  const [, digits, unit = ''] = /^>(\d{1,12})([KM]?)$/.exec(argument) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * { '': 1, K: 1024, M: 1024 * 1024 }[unit as '' | 'K' | 'M']; // as the pattern has it
}

const noAttachments: AttachmentsFact = { names: [], extensions: [], types: [] };

const kindPattern =
  /^[a-z\d+_-][a-z\d.+_-]{0,79}(?:\/[a-z\d.+_-]{1,80})?(?:,[a-z\d+_-][a-z\d.+_-]{0,79}(?:\/[a-z\d.+_-]{1,80})?){0,99}$/i;

/** What Windows, macOS and desktops of Linux run or install when it is opened, and the types by which it is sent. */
const programs = [
  ...[
    'exe',
    'com',
    'scr',
    'pif',
    'bat',
    'cmd',
    'cpl',
    'msi',
    'msp',
    'mst',
    'msc',
    'dll',
    'ocx',
    'sys',
    'reg',
    'lnk',
    'url',
  ],
  ...[
    'js',
    'jse',
    'vbs',
    'vbe',
    'vb',
    'wsf',
    'wsh',
    'wsc',
    'sct',
    'hta',
    'ps1',
    'psm1',
    'jar',
    'jnlp',
    'chm',
    'hlp',
    'inf',
  ],
  ...[
    'gadget',
    'application',
    'appref-ms',
    'appx',
    'msix',
    'iso',
    'img',
    'vhd',
    'vhdx',
    'xll',
    'one',
    'library-ms',
    'settingcontent-ms',
  ],
  ...['app', 'command', 'pkg', 'dmg', 'desktop', 'apk'],
  ...[
    'application/x-msdownload',
    'application/x-dosexec',
    'application/x-msdos-program',
    'application/x-ms-installer',
  ],
  ...['application/vnd.microsoft.portable-executable', 'application/hta', 'application/java-archive'],
];

/** What office programs open, and may run what is in it. */
const macros = ['docm', 'dotm', 'xlsm', 'xltm', 'xlam', 'xlsb', 'pptm', 'potm', 'ppsm', 'ppam', 'sldm'];

/** That stand for many kinds, or for none. */
export const attachmentWords = ['programs', 'macros', 'unreadable'] as const;

const words: Readonly<Record<string, readonly string[]>> = { programs, macros };

const kindsOf = (argument: string): ReadonlySet<string> =>
  new Set(
    argument
      .toLowerCase()
      .split(',')
      .flatMap((kind) => (Object.hasOwn(words, kind) ? (words[kind] ?? []) : [kind])),
  );
