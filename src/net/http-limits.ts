/** What a web client may take, apart from the server that keeps to it: that is loaded only where it is wanted. */

/** From the end of one answer to the end of the next: waiting, asking, and reading what is answered. */
export const requestMs = 30_000;
