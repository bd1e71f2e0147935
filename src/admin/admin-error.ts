/** What went wrong with a request, for whoever asked. */

export const adminErrorCodes = [
  /** The request itself makes no sense: a bad address, an empty password. */
  'bad-request',
  'not-our-domain',
  /** Whether anything goes to that site is not known: DNS has no route for what is in the queue. */
  'no-route',
  'no-such-account',
  'no-such-alias',
  'exists',
  /** The configuration cannot be used; the message lists every problem. */
  'config',
  /** The server took the message for none of its recipients. */
  'refused',
  /** It was asked for too often; the message says when to come again. */
  'too-many',
  /** It was given up meanwhile. */
  'too-late',
  /** The role of who asks does not go so far. */
  'forbidden',
  /** Needs a running server, and there is none. */
  'no-server',
  /** Another process has the store and does not answer. */
  'in-use',
  /** The connection to the server broke in the middle. */
  'connection',
  /** The server's disk is full, or does not do what it should. */
  'disk',
  /** A bug of ours; the server's log knows more. */
  'internal',
] as const;

export type AdminErrorCode = (typeof adminErrorCodes)[number];

/** The message is for people and says what to do. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
