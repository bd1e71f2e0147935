/** What a store can fail with. Everything else that it rejects with is a bug or a refused row. Knows no engine. */

export type OpenFailure = 'in-use' | 'unfinished' | 'not-writable' | 'full' | 'version' | 'damaged';

/** The data directory cannot be used. The message names the directory and says what to do. */
export class StoreOpenError extends Error {
  readonly kind: OpenFailure;

  constructor(kind: OpenFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreOpenError';
    this.kind = kind;
  }
}

/** Why a data directory cannot be used on whose disk there is no room even to open it. */
export const noRoom = (dataDir: string, cause: unknown): StoreOpenError =>
  new StoreOpenError(
    'full',
    `the disk of data directory ${dataDir} is full: make room there, then try again`,
    {
      cause,
    },
  );

/** The disk is full: nothing of this operation was written. SMTP answers 452 4.3.1 and goes on. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}

/** The store can promise nothing any more: whether this operation is on disk is not known. */
export class StoreBrokenError extends Error {
  override readonly name = 'StoreBrokenError';
}

/** The octets of a message are not those that were accepted, or cannot be read any more. Has the code of file systems that notice it themselves. */
export class DamagedContentError extends Error {
  override readonly name = 'DamagedContentError';
  readonly code = 'EBADMSG';
}

/** The system's error code (`ENOSPC`), or undefined where the error is not one of the system's. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True where the error says that the disk, or what the user may have of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL';
}
