import { expect, it } from 'vitest';
import { findPlaceFault } from './program-place.ts';

const nobody = { owner: { uid: 54321, gid: 54321 }, isService: true };
const installed = '/usr/local/bin/posthorn';
const fault = (program: string, node?: string) => findPlaceFault({ ...nobody, program, node });

it('findPlaceFault() is content with what is installed for everybody', async () => {
  expect(await fault(installed)).toBeUndefined();
  expect(await fault(installed, '/usr/bin/node')).toBeUndefined();
});

it('findPlaceFault() wants a program that stays', async () => {
  const { what, remedy } = (await fault('/usr/share/_npx/8a9/node_modules/posthorn/bin/posthorn')) ?? {};
  expect(what).toContain('lent by npx');
  expect(remedy).toContain('npm install -g --prefix /usr/local posthorn');
});

it('findPlaceFault() has a checkout moved, and what npm has brought installed anew', async () => {
  expect((await fault('/tmp/posthorn/bin/posthorn'))?.remedy).toContain(
    'mv /tmp/posthorn /opt/posthorn && /opt/posthorn/bin/posthorn quickstart',
  );
  const { what, remedy } = (await fault('/tmp/project/node_modules/posthorn/bin/posthorn')) ?? {};
  expect(what).toContain('does not come through /tmp to /tmp/project');
  expect(remedy).not.toContain('mv ');
  expect(remedy).toContain('npm install -g --prefix /usr/local posthorn');
});

it('findPlaceFault() wants a Node to which the service comes, too', async () => {
  const { what, remedy } = (await fault(installed, '/tmp/node/bin/node')) ?? {};
  expect(what).toContain('does not come through /tmp to /tmp/node/bin/node');
  expect(remedy).toContain('Install Node where everybody can read it');
});
