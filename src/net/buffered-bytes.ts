/** How much is read ahead on the sockets of those who come to us, in clear text and in TLS. */

/**
 * Once so many octets wait for us, nothing more is read. What is read at once are up to 64 KiB: with Node's limit, which is
 * the same, twice as many could wait in each of hundreds of sessions.
 */
export const bufferedBytes = 16 * 1024;
