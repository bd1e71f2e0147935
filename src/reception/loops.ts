/** Mail loops end here (RFC 5321 §6.3; Delivered-To is the custom that catches loops over forwarders). */

import { fieldValue, findFields, type Header } from '../mail/header.ts';
import type { Recipient } from '../queue/directory.ts';
import { type Reply, reply } from '../smtp/reply.ts';

/** RFC 5321 §6.3 asks for a limit of at least 100 or so; the requirements set 50, which no honest road reaches. */
export const maxReceivedFields = 50;

/** The refusal of a message that goes in circles, or undefined. */
export function findLoop({ fields }: Header, recipients: readonly Recipient[]): Reply | undefined {
  const hops = findFields(fields, 'received').length;
  if (hops > maxReceivedFields) return reply(554, '5.4.6', `Mail loop: ${hops} Received fields`);
  const passed = new Set(findFields(fields, 'delivered-to').map((field) => fieldValue(field).toLowerCase()));
  const again = recipients.find(({ kind, address }) => kind === 'local' && passed.has(address));
  return (
    again && reply(554, '5.4.6', `Mail loop: delivered to ${again.address} before; check the forwarding`)
  );
}
