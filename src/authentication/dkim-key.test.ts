import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { dkimRecord, generateDkimKey, parseDkimKey } from './dkim-key.ts';

const pem = { type: 'pkcs8', format: 'pem' } as const;

it('P11: generateDkimKey() makes an RSA key of 2048 bits that parseDkimKey() reads', async () => {
  const { key, type } = parseDkimKey(await generateDkimKey());
  expect(type).toBe('rsa');
  expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
});

it('P11: dkimRecord() gives the TXT value of an RSA key, and strings that fit', async () => {
  const privateKey = await generateDkimKey('rsa');
  const { value, strings } = dkimRecord(privateKey);
  expect(value).toMatch(/^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]+=*$/);
  expect(strings.join('')).toBe(value);
  expect(Math.max(...strings.map((string) => string.length))).toBeLessThanOrEqual(255);
  const published = Buffer.from(value.split('p=')[1] ?? '', 'base64');
  const info = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  expect(published.equals(info)).toBe(true);
});

it('dkimRecord() gives the 32 bare octets of an Ed25519 key (RFC 8463 §4.2)', async () => {
  const { value, strings } = dkimRecord(await generateDkimKey('ed25519'));
  expect(value).toMatch(/^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=$/);
  expect(strings).toEqual([value]);
});

it('dkimRecord() is the same for both halves of a key', async () => {
  const privateKey = await generateDkimKey('ed25519');
  const publicKey = createPublicKey(privateKey);
  expect(dkimRecord(publicKey)).toEqual(dkimRecord(privateKey));
  expect(dkimRecord(publicKey.export({ type: 'spki', format: 'pem' }).toString())).toEqual(
    dkimRecord(privateKey),
  );
});

it('parseDkimKey() reads PKCS #1 too', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  expect(parseDkimKey(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()).type).toBe('rsa');
});

const small = generateKeyPairSync('rsa', { modulusLength: 768 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const locked = { ...pem, cipher: 'aes-256-cbc', passphrase: 'secret' };

it.each([
  ['an RSA key below 1024 bits', small.privateKey.export(pem), /768 bits.*RFC 8301/],
  ['a key of another type', curve.privateKey.export(pem), /type is ec/],
  ['a public key', small.publicKey.export({ type: 'spki', format: 'pem' }), /public key/],
  ['an encrypted key', small.privateKey.export(locked), /passphrase/],
  ['no key', 'hello', /expected a private key in PEM/],
  ['nothing', '', /expected a private key in PEM/],
])('parseDkimKey() refuses %s and says why', (_, text, message) => {
  expect(() => parseDkimKey(text.toString())).toThrow(message);
});
