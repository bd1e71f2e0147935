/** A file and a directory on a disk: what of them is durable, and the changes that are not yet. */

import type { Change } from './image.ts';
import { Image } from './image.ts';

export type Node = FileNode | DirectoryNode;

export class FileNode {
  /** Changes that no sync covers, oldest first. */
  readonly pending: Change[] = [];
  /** What is durable; not to be changed by others. */
  readonly durable = new Image();

  change(change: Change): void {
    this.pending.push(change);
  }

  /** A sync has ended that began after change number `last`. */
  settle(last: number): void {
    const settled = this.pending.filter(({ number }) => number <= last).length;
    for (const change of this.pending.splice(0, settled)) this.durable.apply(change);
  }
}

/** A name that came (to a file or directory) or went. */
export interface Naming {
  number: number;
  directory: DirectoryNode;
  name: string;
  /** Undefined: the name is gone. */
  node: Node | undefined;
  /** The other half of a rename: does not land without this one. */
  after: Naming | undefined;
}

export class DirectoryNode {
  /** As the running system sees them. */
  readonly names = new Map<string, Node>();
  /** As they are on disk for sure, but for those that are pending. */
  readonly durable = new Map<string, Node>();
  /** Changes that no sync covers, oldest first. */
  readonly pending: Naming[] = [];

  rename(naming: Naming): void {
    setName(this.names, naming);
    this.pending.push(naming);
  }

  /** A sync has ended that began after change number `last`. */
  settle(last: number): void {
    this.#land(({ number }) => number <= last);
  }

  #land(isMeant: (naming: Naming) => boolean): void {
    const landed = this.pending.filter(isMeant);
    const rest = this.pending.filter((naming) => !isMeant(naming));
    this.pending.splice(0, this.pending.length, ...rest);
    for (const naming of landed) {
      setName(this.durable, naming);
      const { after } = naming;
      if (after !== undefined)
        after.directory.#land(({ name, number }) => name === after.name && number <= after.number);
    }
  }
}

export function setName(names: Map<string, Node>, { name, node }: Naming): void {
  if (node === undefined) names.delete(name);
  else names.set(name, node);
}
