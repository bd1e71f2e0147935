/** What the number at the end of a command means; from 64 on as in sysexits.h. */

export const exitCodes = {
  ok: 0,
  /** `send`: a recipient was refused for good, and the sender gets no other notice of it here. */
  refused: 1,
  /** `simulate --replay`: the schedule goes another way now. */
  differs: 1,
  /** `store`: something is damaged or lost, or may be. */
  damaged: 1,
  /** `check`: mail for the address would not arrive. */
  undeliverable: 1,
  /** `check`: nobody can tell. */
  unclear: 2,
  /** `doctor`, `preflight`, `tls`, `dns records`: something is wrong. */
  unwell: 1,
  /** `send`: not all of it has arrived yet, but the queue has it: do not send it again. */
  queued: 2,
  /** Unknown command or option, or an argument that makes no sense (EX_USAGE). */
  usage: 64,
  /** A file's content is not what it should be (EX_DATAERR). */
  badData: 65,
  /** A file that is not there, or nothing found (EX_NOINPUT). */
  noInput: 66,
  /** No such account, alias or domain (EX_NOUSER). */
  noUser: 67,
  /** Needs a running server, or a port that is taken (EX_UNAVAILABLE). */
  unavailable: 69,
  /** A bug of ours (EX_SOFTWARE). */
  software: 70,
  /** A file or directory cannot be made or written, or exists already (EX_CANTCREAT). */
  cantCreate: 73,
  /** The disk does not do what it should, or is full (EX_IOERR). */
  inputOutput: 74,
  /** The same may work in a while: in use, connection broken, deferred with no queue (EX_TEMPFAIL). */
  tryLater: 75,
  /** This user may not do that (EX_NOPERM). */
  noPermission: 77,
  /** The configuration (EX_CONFIG). */
  config: 78,
  /** Ctrl-C at a question, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
