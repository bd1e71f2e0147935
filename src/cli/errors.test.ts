import { expect, test } from 'vitest';
import { AdminError } from '../admin/admin-error.ts';
import { StoreBrokenError, StoreFullError, StoreOpenError } from '../store/errors.ts';
import { explain } from './errors.ts';

const systemError = (code: string, syscall: string, more: object) =>
  Object.assign(new Error(code), { code, syscall, ...more });
const listening = { address: '127.0.0.1', port: 25 };

test.each([
  [
    'a taken port',
    systemError('EADDRINUSE', 'listen', listening),
    69,
    /port 25 of 127\.0\.0\.1 is taken.*another port/,
  ],
  ['a port for root', systemError('EACCES', 'listen', listening), 77, /below 1024 are for root.*setcap/],
  [
    'an address of another machine',
    systemError('EADDRNOTAVAIL', 'listen', listening),
    78,
    /no address 127\.0\.0\.1/,
  ],
  ['a directory', systemError('EISDIR', 'read', {}), 66, /is a directory. Name a file/],
  ['a file that is not there', systemError('ENOENT', 'open', { path: '/x' }), 66, /there is no \/x/],
  ['a file of another user', systemError('EACCES', 'open', { path: '/x' }), 77, /Run posthorn as the user/],
  [
    'a socket of the administrator',
    systemError('EACCES', 'connect', { address: '/d/control.sock' }),
    77,
    /^this user may not use \/d\/control\.sock \(connect\)\. Run posthorn as root \(sudo\).*\[control\]/,
  ],
  ['a disk for reading', systemError('EROFS', 'mkdir', { path: '/ro/b' }), 74, /^\/ro\/b cannot.*read-only/],
  ['a directory for a file', systemError('EISDIR', 'read', {}), 66, /is a directory. Name a file/],
  ['a way through a file', systemError('ENOTDIR', 'mkdir', { path: '/f/x' }), 73, /^\/f\/x goes through/],
  [
    'a way through a file, to read',
    systemError('ENOTDIR', 'open', { path: '/f/x' }),
    66,
    /^\/f\/x goes through/,
  ],
  ['a data directory in use', new StoreOpenError('in-use', 'it is in use'), 75, /in use/],
  [
    'a data directory not writable',
    new StoreOpenError('not-writable', 'cannot be used'),
    73,
    /cannot be used/,
  ],
  ['data of another version', new StoreOpenError('version', 'of version 9'), 65, /version 9/],
  ['a full disk', new StoreFullError('no space left'), 74, /data directory is full. Make room there/],
  [
    'a full disk when opening',
    new StoreOpenError('full', 'the disk of /d is full'),
    74,
    /disk of \/d is full/,
  ],
  [
    'a full disk behind a server',
    new AdminError('disk', 'the disk of /d is full'),
    74,
    /disk of \/d is full/,
  ],
  ['a file without room', systemError('ENOSPC', 'write', {}), 74, /the disk is full \(ENOSPC\). Make room/],
  ['a failed fsync', new StoreBrokenError('fsync failed'), 74, /Look at the disk/],
  ['a bug', new TypeError('oops'), 70, /this is a bug.*oops.*errors\.test/s],
])('explain() says %s plainly', (_, error, exitCode, text) => {
  expect(explain(error)).toEqual({ exitCode, text: expect.stringMatching(text) });
});
