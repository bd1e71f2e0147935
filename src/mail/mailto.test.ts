import { expect, test } from 'vitest';
import { findMailtoAddress } from './mailto.ts';

test('findMailtoAddress() decodes the address, and leaves out what follows it', () => {
  const local = ({ localPart, domain }: { localPart: string; domain: string }) => `${localPart} at ${domain}`;
  const read = (uri: string) => {
    const address = findMailtoAddress(uri);
    return address && local(address);
  };
  expect(read('mailto:tls%2Breports@example.com?subject=x')).toBe('tls+reports at example.com');
  expect(read('MAILTO:a@Example.com')).toBe('a at example.com');
  for (const bad of ['mailto:', 'mailto:a', 'mailto:a@b@c', 'mailto:%ff@example.com', 'https://example.com/'])
    expect(read(bad)).toBeUndefined();
});
