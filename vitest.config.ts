import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// One process per core and no isolation between files: tests keep no global state, and this is several times faster.
export default defineConfig({
  test: {
    include: ['{src,bench,crash,e2e,fuzz,tools}/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: '100%',
    // A test that hangs fails; one on a machine that is busy with other things does not.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Node strips the types of what a thread loads by WebAssembly, whose code all threads share; V8 may free it while
    // another one runs it, and the process dies of SIGSEGV or SIGTRAP (four of 24 runs with many threads; none of 24 so).
    execArgv: ['--no-wasm-code-gc'],
    env: {
      UV_THREADPOOL_SIZE: '16',
      // A thread loads its files anew each time, without Vite: with their types stripped already, in half the time.
      NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/posthorn'),
    },
  },
});
