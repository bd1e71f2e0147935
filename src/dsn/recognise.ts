/** Tells delivery reports by the message's header, whoever wrote them. RFC 6522, RFC 3464. */

import { fieldValue, findFields, type HeaderField } from '../mail/header.ts';

/** Other reports are none: receipts (RFC 8098), complaints of abuse. */
export function isDeliveryReport(fields: readonly HeaderField[]): boolean {
  return findFields(fields, 'content-type').some((field) => deliveryReport.test(fieldValue(field)));
}

const deliveryReport = /^multipart\/report\s*;(?:.*[;\s])?report-type\s*=\s*"?delivery-status(?:["\s;]|$)/is;
