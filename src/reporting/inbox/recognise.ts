/**
 * Whether a mail is meant to be a report, by its header alone: at the door there is no time for more. RFC 9990 §3.5.3 and
 * RFC 8460 §5.3 say what a subject has; what real senders make of it is wider.
 */

import { parseContentType } from '../../mail/content-type.ts';
import { unstructuredText } from '../../mail/encoded-words.ts';
import { fieldValue, findFields, type Header } from '../../mail/header.ts';

const subjectPattern = /\breport domain:/i;
const attachmentPattern = /^(?:application\/(?:zip|gzip|x-gzip|x-zip-compressed|tlsrpt\b.*)|text\/xml)$/;

export function isReport({ fields }: Header): boolean {
  const [field] = findFields(fields, 'content-type');
  const type = field && parseContentType(fieldValue(field));
  const name = `${type?.type}/${type?.subtype}`;
  if (name === 'multipart/report')
    return /^(?:tlsrpt|feedback-report)$/i.test(type?.parameters.get('report-type') ?? '');
  const [subject] = findFields(fields, 'subject');
  return (
    attachmentPattern.test(name) || (subject !== undefined && subjectPattern.test(unstructuredText(subject)))
  );
}
