/** A moment that does not come: what waits for it waits until somebody changes that. In ms since the epoch, a date still. */

export const never = Date.UTC(9999, 11, 31);
