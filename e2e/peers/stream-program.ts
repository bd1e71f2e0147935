/** `node stream-program.ts PORT FROM TO`: a stream as a program of its own. At SIGTERM it ends, and prints what has come of it as JSON. */

import { Stream } from './stream.ts';

const [port = '', from = '', to = ''] = process.argv.slice(2);
const stream = new Stream(Number(port), { from, to });
process.once('SIGTERM', async () => console.log(JSON.stringify(await stream.stop())));
