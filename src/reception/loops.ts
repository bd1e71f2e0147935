/** Mail loops end here (RFC 5321 §6.3; Delivered-To is the custom that catches loops over forwarders). */

import { fieldValue, findFields, type Header } from '../mail/header.ts';
import { hasListField } from '../mail/list-fields.ts';
import type { Recipient } from '../queue/directory.ts';
import { type Reply, reply } from '../smtp/reply.ts';

/** RFC 5321 §6.3 asks for a limit of at least 100 or so; the requirements set 50, which no honest road reaches. */
export const maxReceivedFields = 50;

/** The refusal of a message that goes in circles, or undefined. */
export function findLoop(header: Header, recipients: readonly Recipient[]): Reply | undefined {
  const { fields } = header;
  const hops = findFields(fields, 'received').length;
  if (hops > maxReceivedFields) return reply(554, '5.4.6', `Mail loop: ${hops} Received fields`);
  const passed = new Set(findFields(fields, 'delivered-to').map((field) => fieldValue(field).toLowerCase()));
  const list = recipients.find((each) => each.list && hasListField(header, each.list.address))?.list;
  if (list) return reply(554, '5.4.6', `Mail loop: it came by the list ${list.address} before`);
  const again = recipients.flatMap(addressesHere).find((address) => passed.has(address));
  return again === undefined
    ? undefined
    : reply(554, '5.4.6', `Mail loop: delivered to ${again} before; check the forwarding`);
}

/** By which addresses of ours the message gets there: each of them may be in a Delivered-To of ours. */
function addressesHere({ kind, address, redirected, forwardedBy, list }: Recipient): string[] {
  return [
    ...(kind === 'local' ? [address] : []),
    ...(redirected ? [redirected.from.toLowerCase()] : []),
    ...(forwardedBy === undefined ? [] : [forwardedBy]),
    ...(list ? [list.address] : []),
  ];
}
