/**
 * One row as SQLite stores it: a header with a type for each column, then the values. Whatever the octets, it never throws. https://www.sqlite.org/fileformat2.html#record_format
 */

export type SqlValue = null | number | string | Buffer;

/** A variable-length number and the offset after it; NaN where it goes beyond the end. */
export function readVarint(octets: Buffer, offset: number): [value: number, next: number] {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const octet = octets[offset + index];
    if (octet === undefined) return [Number.NaN, offset];
    // The ninth octet counts whole. Beyond 2^53 precision is lost, which no length or time of ours comes near.
    if (index === 8) return [value * 256 + octet, offset + 9];
    value = value * 128 + (octet & 0x7f);
    if (octet < 0x80) return [value, offset + index + 1];
  }
  return [Number.NaN, offset];
}

/** Octets of the integers and floats of types 0–9. */
const fixedBytes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

export interface SqlRecord {
  /** How many columns it has; `values` are fewer where the octets are cut off. */
  columns: number;
  values: SqlValue[];
  /** What there is of the column that is cut off. */
  cut?: Buffer;
}

/** Undefined where the octets are no record, or not even its header is whole. */
export function readRecord(payload: Buffer): SqlRecord | undefined {
  const types = readTypes(payload);
  if (types === undefined) return undefined;
  const values: SqlValue[] = [];
  let [offset] = readVarint(payload, 0);
  for (const type of types) {
    const length = lengthOf(type);
    if (offset + length > payload.length)
      return { columns: types.length, values, cut: payload.subarray(offset) };
    values.push(columnValue(type, payload.subarray(offset, offset + length)));
    offset += length;
  }
  return { columns: types.length, values };
}

/** A number for each column, which says what it is and how long. */
function readTypes(payload: Buffer): number[] | undefined {
  const [headerBytes, first] = readVarint(payload, 0);
  if (!(headerBytes >= first && headerBytes <= payload.length)) return undefined;
  const types: number[] = [];
  for (let place = first; place < headerBytes; ) {
    const [type, next] = readVarint(payload, place);
    // 10 and 11 are SQLite's own, and never in a file.
    if (Number.isNaN(type) || type === 10 || type === 11) return undefined;
    types.push(type);
    place = next;
  }
  return types;
}

const lengthOf = (type: number): number =>
  type < 12 ? (fixedBytes[type] ?? 0) : Math.floor((type - 12) / 2);

function columnValue(type: number, octets: Buffer): SqlValue {
  if (type >= 12) return type % 2 === 0 ? octets : octets.toString('utf8');
  if (type === 0) return null;
  if (type === 7) return octets.readDoubleBE();
  if (type === 8 || type === 9) return type - 8;
  return octets.length === 8 ? Number(octets.readBigInt64BE()) : octets.readIntBE(0, octets.length);
}
