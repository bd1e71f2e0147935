import { expect, it } from 'vitest';
import { canBind } from './bind.ts';

it("canBind() tells this machine's addresses from others", async () => {
  await canBind('127.0.0.1');
  await expect(canBind('192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
});
