/** What a benchmark needs to know of a server that passes everything on to a sink. */

export interface Relay {
  name: string;
  port: number;
  /** The root of its process tree. */
  pid: number;
  /** What the report says about it: version and what was set. */
  description: string;
}
