/** What a filter wants to hear, and may do: SMFIC_OPTNEG, the first words of both sides. */

import { FilterError } from '../stream.ts';
import { offeredActions, offeredProtocol, oldestVersion, protocolVersion } from './codes.ts';
import { type MacroStage, type MacroWishes, macroStages } from './macros.ts';

export interface MilterOptions {
  version: number;
  /** SMFIF_*, of those that we offer. */
  actions: number;
  /** SMFIP_*, of those that we offer. */
  protocol: number;
  macros: MacroWishes;
}

const wordBytes = 4;
const fixedBytes = 3 * wordBytes;
/** Names of macros at one stage; Sendmail takes five. */
const maxMacros = 50;

export function offer(): Buffer {
  const data = Buffer.alloc(fixedBytes);
  data.writeUInt32BE(protocolVersion);
  data.writeUInt32BE(offeredActions, wordBytes);
  data.writeUInt32BE(offeredProtocol, 2 * wordBytes);
  return data;
}

/** Throws a FilterError where the filter wants what was not offered. */
export function readOptions(data: Buffer): MilterOptions {
  if (data.length < fixedBytes)
    throw new FilterError('lied', `its options have ${data.length} octets instead of ${fixedBytes}`);
  const [version, actions, protocol] = [0, wordBytes, 2 * wordBytes].map((at) => data.readUInt32BE(at)) as [
    number,
    number,
    number,
  ]; // one for each place
  if (version < oldestVersion || version > protocolVersion)
    throw new FilterError(
      'lied',
      `it speaks version ${version} of the protocol; known are ${oldestVersion} to ${protocolVersion}`,
    );
  const extraActions = (actions & ~offeredActions) >>> 0;
  const extraSteps = (protocol & ~offeredProtocol) >>> 0;
  if (extraActions !== 0 || extraSteps !== 0)
    throw new FilterError(
      'lied',
      `it wants what was not offered: actions 0x${extraActions.toString(16)}, steps 0x${extraSteps.toString(16)}`,
    );
  return { version, actions, protocol, macros: readMacroLists(data.subarray(fixedBytes)) };
}

function readMacroLists(data: Buffer): Map<MacroStage, readonly string[]> {
  const lists = new Map<MacroStage, readonly string[]>();
  let at = 0;
  while (at + wordBytes < data.length) {
    const stage = macroStages[data.readUInt32BE(at)];
    const end = data.indexOf(0, at + wordBytes);
    if (end < 0) throw new FilterError('lied', 'a list of macros without an end');
    const names = data.toString('latin1', at + wordBytes, end).split(/[\s,]+/);
    // A stage that nobody knows is of a later version, and its macros are for nobody.
    if (stage !== undefined) lists.set(stage, names.filter((name) => name !== '').slice(0, maxMacros));
    at = end + 1;
  }
  return lists;
}
