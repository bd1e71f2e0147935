import { describe, expect, test } from 'vitest';
import { parseXml } from '../util/xml.ts';
import { readQuestion, refusalAnswer, settingsAnswer } from './autodiscover.ts';

const ask = (inner: string, before = '') =>
  readQuestion(Buffer.from(`${before}<Autodiscover>${inner}</Autodiscover>`));
const schema =
  '<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>';

describe('readQuestion()', () => {
  test.each([
    ['', 'ann@example.com', schema],
    ['\ufeff<?xml version="1.0" encoding="utf-8"?>', ' ann@example.com ', schema],
    ['', 'ann@example.com', ''],
  ])('reads the address %#', (before, address, rest) => {
    const inner = `<Request><EMailAddress>${address}</EMailAddress>${rest}</Request>`;
    expect(ask(inner, before)).toEqual({ address: 'ann@example.com' });
  });

  test.each([
    ['<Request/>', 600],
    ['<Request><EMailAddress> </EMailAddress></Request>', 600],
    ['<Request><EMailAddress>&lol;</EMailAddress></Request>', 600],
    [`<Request>${'<a/>'.repeat(60)}</Request>`, 600],
    ['<a>'.repeat(20), 600],
    [
      '<Request><EMailAddress>a@b.example</EMailAddress><AcceptableResponseSchema>mobilesync</AcceptableResponseSchema></Request>',
      601,
    ],
  ])('refuses %s', (inner, code) => {
    expect(ask(inner)).toMatchObject({ code });
  });
});

test('answers are XML, whatever the address', () => {
  const services = [
    { protocol: 'submission', does: 'send', host: 'mx.example.com', port: 587, encryption: 'starttls' },
  ] as const;
  const text = settingsAnswer('"<&>"@example.com', services);
  const [account] = parseXml(Buffer.from(text)).children[0]?.children ?? [];
  const [, , protocol] = account?.children ?? [];
  expect(Object.fromEntries(protocol?.children.map((each) => [each.name, each.text]) ?? [])).toMatchObject({
    Type: 'SMTP',
    Port: '587',
    LoginName: '"<&>"@example.com',
    Encryption: 'TLS',
  });
  expect(refusalAnswer({ code: 600, message: '<no>' })).toContain('<Message>&lt;no&gt;</Message>');
});
