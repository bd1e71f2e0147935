import { expect, test } from 'vitest';
import { findViolations } from './check-layers.ts';

const violations = (path: string, text: string) => findViolations([{ path, text }]);

const allowed: [path: string, text: string][] = [
  ['queue/queue.ts', "import { openStore } from '../store/open.ts';"],
  ['smtp/session.ts', "import type { Machine } from '../net/machine.ts';"],
  ['smtp/client.ts', "import type { Event } from '../dossier/event.ts';"],
  ['dns/cache.ts', "import type { Address } from '../mail/address.ts';"],
  ['net/listener.ts', "import { createServer } from 'node:net';"],
  ['net/program.ts', "import { spawn } from 'node:child_process';"],
  ['store/sqlite/open.ts', "import { Worker } from 'node:worker_threads';"],
  ['store/sqlite/open.ts', "import { spool } from '../spool.ts';"],
  ['cli/serve.ts', "const { serve } = await import('../server.ts');"],
  ['cli/serve.ts', "import type { Server } from '../server.ts';"],
  ['cli/playground.ts', "import { world } from '../testing/world.ts';"],
  ['testing/world.ts', "import { startServer } from '../server.ts';\nimport { connect } from 'node:net';"],
  ['server.ts', "import { queue } from './queue/queue.ts';"],
  ['server.ts', "import type { SecureContext } from 'node:tls';"],
  ['main.ts', 'process.exit(await run(process.argv));'],
  [
    'smtp/session.test.ts',
    "import { play } from '../testing/transcript.ts';\nimport { connect } from 'node:net';",
  ],
  ['mail/date.ts', " * import { x } from '../net/x.ts' would be wrong; process.exit() too"],
];

test.each(allowed)('findViolations() lets %s say %s', (path, text) => {
  expect(violations(path, text)).toEqual([]);
});

const forbidden: [path: string, text: string, why: RegExp][] = [
  ['mail/date.ts', "import { find } from '../dns/cache.ts';", /siblings.*import type/],
  ['smtp/client.ts', "import {\n  a,\n  b,\n} from '../net/conversation.ts';", /net\/ stands above smtp\//],
  ['smtp/client.ts', "import type { Conversation } from '../net/conversation.ts';", /stands above/],
  ['smtp/session.ts', "import { x } from '../net/machine.ts';", /stands above/],
  ['store/store.ts', "export * from '../queue/queue.ts';", /stands above/],
  ['util/clock.ts', "const late = await import('../mail/date.ts');", /stands above/],
  ['delivery/send.ts', "import { connect } from 'node:tls';", /Only src\/net\//],
  ['delivery/send.ts', "import 'node:http';", /Only src\/net\//],
  [
    'delivery/transports/pipe.ts',
    "import { spawn } from 'node:child_process';",
    /Only src\/net\/ starts programs/,
  ],
  ['delivery/send.ts', "import type { Socket } from 'node:net';", /Only src\/net\//],
  ['server.ts', "import { createServer } from 'node:net';", /Only src\/net\//],
  ['queue/queue.ts', "import { clock } from '../testing/clock.ts';", /src\/testing\/ is for tests/],
  ['cli/serve.ts', "import { serve } from '../server.ts';", /lazy/],
  ['admin/control.ts', "const { serve } = await import('../server.ts');", /only cli\//],
  ['admin/control.ts', "import { main } from '../main.ts';", /root of src/],
  ['cli/serve.ts', '  process.exit(1);', /Only main\.ts/],
  ['postbox/box.ts', 'export {};', /no line/],
];

test.each(forbidden)('findViolations() stops %s from %s', (path, text, why) => {
  const [first, ...more] = violations(path, text);
  expect(first).toMatch(why);
  expect(more).toEqual([]);
});

test('findViolations() names file and line', () => {
  const text = "/** A header. */\n\nimport { a } from './a.ts';\nimport { b } from '../net/b.ts';\n";
  expect(violations('mail/date.ts', text)).toEqual([
    expect.stringMatching(/^src\/mail\/date\.ts:4: imports \.\.\/net\/b\.ts\. /),
  ]);
});
