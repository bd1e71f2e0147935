import { expect, test } from 'vitest';
import { autoconfig } from './autoconfig.ts';

test('autoconfig() is in the order of the format, with the best service of a kind first', () => {
  const host = 'mx.example.com';
  const text = autoconfig('example.com', [
    { protocol: 'submissions', does: 'send', host, port: 465, encryption: 'tls' },
    { protocol: 'pop3', does: 'fetch', host, port: 110, encryption: 'starttls' },
  ]);
  expect(text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="example.com">
    <domain>example.com</domain>
    <displayName>example.com</displayName>
    <displayShortName>example.com</displayShortName>
    <outgoingServer type="smtp">
      <hostname>mx.example.com</hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>password-cleartext</authentication>
    </outgoingServer>
    <incomingServer type="pop3">
      <hostname>mx.example.com</hostname>
      <port>110</port>
      <socketType>STARTTLS</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>password-cleartext</authentication>
      <pop3>
        <leaveMessagesOnServer>true</leaveMessagesOnServer>
      </pop3>
    </incomingServer>
  </emailProvider>
</clientConfig>
`);
});
