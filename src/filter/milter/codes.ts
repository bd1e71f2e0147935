/**
 * The numbers of the milter protocol, version 6. There is no RFC: they are those of Sendmail's libmilter
 * (`mfdef.h`, `mfapi.h`), which every filter is linked to or imitates.
 */

/** SMFI_PROT_VERSION. */
export const protocolVersion = 6;
/** Filters of a version before cannot be talked to. */
export const oldestVersion = 2;

/** MILTER_CHUNK_SIZE: octets of body in one packet. */
export const bodyChunkBytes = 65_535;

/** SMFIC_*: what we say. */
export const command = {
  abort: 'A',
  body: 'B',
  connect: 'C',
  macros: 'D',
  endOfMessage: 'E',
  helo: 'H',
  header: 'L',
  mail: 'M',
  endOfHeader: 'N',
  options: 'O',
  quit: 'Q',
  recipient: 'R',
  data: 'T',
} as const;

/** SMFIF_*: what a filter may ask for. */
export const action = {
  addHeaders: 0x1,
  changeBody: 0x2,
  addRecipients: 0x4,
  deleteRecipients: 0x8,
  changeHeaders: 0x10,
  quarantine: 0x20,
  changeSender: 0x40,
  addRecipientsWithParameters: 0x80,
  chooseMacros: 0x100,
} as const;

/**
 * All of them are offered: libmilter ends a session where one is missing that a filter might use. What is asked for and
 * not done is told (changes.ts).
 */
export const offeredActions = Object.values(action).reduce((all, bit) => all | bit, 0);

/** A command that a filter may do without (SMFIP_NO*), or not answer (SMFIP_NR_*). */
export type Step = 'connect' | 'helo' | 'mail' | 'recipient' | 'data' | 'header' | 'endOfHeader' | 'body';

export const unwanted: Record<Step, number> = {
  connect: 0x1,
  helo: 0x2,
  mail: 0x4,
  recipient: 0x8,
  body: 0x10,
  header: 0x20,
  endOfHeader: 0x40,
  data: 0x200,
};

export const unanswered: Record<Step, number> = {
  header: 0x80,
  connect: 0x1000,
  helo: 0x2000,
  mail: 0x4000,
  recipient: 0x8000,
  data: 0x1_0000,
  endOfHeader: 0x4_0000,
  body: 0x8_0000,
};

/** SMFIP_NOUNKNOWN, SMFIP_NR_UNKN: unknown commands, of which we say nothing anyway. */
const unknownCommands = 0x100 | 0x2_0000;
/** SMFIP_SKIP: SMFIR_SKIP is understood. */
export const maySkip = 0x400;
/** SMFIP_HDR_LEADSPC: values come with the white space that follows the colon. */
export const leadingSpace = 0x10_0000;

/** Not SMFIP_RCPT_REJ: of recipients that were refused, a filter hears nothing. */
export const offeredProtocol =
  [...Object.values(unwanted), ...Object.values(unanswered)].reduce((all, bit) => all | bit, 0) |
  unknownCommands |
  maySkip |
  leadingSpace;
