/** What users run: the built product, laid out as the published package is, so that no figure is one of the source. */

import { cp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../e2e/process.ts';
import type { World } from '../e2e/world.ts';

const repository = join(import.meta.dirname, '..');

const ingredients = ['bin', 'package.json', 'src', 'tsconfig.json', 'tsconfig.build.json'];

/** Builds it in a folder of the world, whatever happens to `dist/` meanwhile; resolves to its `bin/posthorn`. */
export async function buildProduct(world: World): Promise<string> {
  const dir = world.path('product');
  for (const each of ingredients) await cp(join(repository, each), join(dir, each), { recursive: true });
  await symlink(join(repository, 'node_modules'), join(dir, 'node_modules'));
  const build = join(repository, 'tools', 'build.ts');
  await runOk(process.execPath, [build], { cwd: dir, timeoutMs: 120_000 });
  await rm(join(dir, 'src'), { recursive: true }); // Where it lies, bin/posthorn would run it.
  return join(dir, 'bin', 'posthorn');
}
