import { defineConfig } from 'vitest/config';

// One process per core and no isolation between files: tests keep no global state, and this is several times faster.
export default defineConfig({
  test: {
    include: ['{src,bench,crash,fuzz,tools}/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 10_000,
    env: { UV_THREADPOOL_SIZE: '16' },
  },
});
