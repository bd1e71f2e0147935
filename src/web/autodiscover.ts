/**
 * What Outlook asks for when somebody types in an address: POX Autodiscover ([MS-OXDSCLI] §2.2.3, §2.2.4). The question is
 * XML of strangers; the answer is the same for every address of a domain.
 */

import type { ClientService } from '../config/client-services.ts';
import { writeXml, type XmlNode } from '../util/write-xml.ts';
import { parseXml, type XmlElement, XmlError } from '../util/xml.ts';

/** Elements of a question: there are four. */
const questionLimits = { depth: 8, elements: 50, attributes: 10 };

/** [MS-OXDSCLI] §2.2.4.1.1.2: the answers that this one is understood by. */
const settingsSchema = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a';
const answerSchema = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006';

/** `600`: the question is none; `601`: nobody here can say it. */
export type Refusal = { code: 600 | 601; message: string };

/** Whose settings are asked for, or why that is not answered. */
export function readQuestion(body: Buffer): { address: string } | Refusal {
  let root: XmlElement;
  try {
    root = parseXml(body, questionLimits);
  } catch (error) {
    if (error instanceof XmlError) return { code: 600, message: `Invalid request: ${error.message}` };
    throw error;
  }
  const request = childOf(root, 'Request');
  const address = request && childOf(request, 'EMailAddress')?.text.trim();
  if (!address) return { code: 600, message: 'Invalid request: it has no EMailAddress' };
  const wanted = request && childOf(request, 'AcceptableResponseSchema')?.text.trim();
  return wanted === undefined || wanted === settingsSchema
    ? { address }
    : { code: 601, message: 'This server gives the settings of Outlook 2007 and later' };
}

const childOf = ({ children }: XmlElement, wanted: string): XmlElement | undefined =>
  children.find(({ name }) => name === wanted);

export function settingsAnswer(address: string, services: readonly ClientService[]): string {
  const account: XmlNode = [
    'Account',
    [['AccountType', 'email'], ['Action', 'settings'], ...services.map((each) => protocolOf(address, each))],
  ];
  const response: XmlNode = ['Response', [account], { xmlns: settingsSchema }];
  return writeXml(['Autodiscover', [response], { xmlns: answerSchema }]);
}

export function refusalAnswer({ code, message }: Refusal): string {
  const error: XmlNode = [
    'Error',
    [
      ['ErrorCode', code],
      ['Message', message],
      ['DebugData', ''],
    ],
  ];
  return writeXml(['Autodiscover', [['Response', [error]]], { xmlns: answerSchema }]);
}

/** [MS-OXDSCLI] §2.2.4.1.1.2.6 */
function protocolOf(address: string, { does, host, port, encryption }: ClientService): XmlNode {
  return [
    'Protocol',
    [
      ['Type', does === 'send' ? 'SMTP' : 'POP3'],
      ['Server', host],
      ['Port', port],
      ['DomainRequired', 'off'],
      ['LoginName', address],
      ['SPA', 'off'],
      ['SSL', 'on'],
      // Goes before SSL, which knows no STARTTLS.
      ['Encryption', encryption === 'tls' ? 'SSL' : 'TLS'],
      ['AuthRequired', 'on'],
      ...(does === 'send' ? ([['UsePOPAuth', 'on']] as const) : []),
    ],
  ];
}
