/**
 * What a disk holds for sure, and what is still on its way there, as system calls follow one another. Weaker than any
 * file system that we know: a file's octets are durable by a sync of the file, a name by a sync of its directory, and
 * until then each change may land or not, whatever came before or after it. Only what fsync(2) promises is relied on.
 */

import type { FileRecord, Inode } from '../../recorder/log.ts';
import { DirectoryNode, FileNode, type Naming, type Node } from './nodes.ts';

export class Disk {
  /** The recorded directory itself, which is taken to be there for good. */
  readonly root = new DirectoryNode();
  readonly #rootPath: string;
  readonly #nodes = new Map<Inode, { node: Node; path: string }>();
  /** Syncs that have begun, by thread: what they will have made durable. */
  readonly #syncs = new Map<number, { node: Node; changes: number }>();
  /** The number of the last change. */
  changes = 0;

  constructor(rootPath: string, rootInode: Inode) {
    this.#rootPath = rootPath;
    this.#nodes.set(rootInode, { node: this.root, path: '' });
  }

  /** The path under which a file was last known, for people. */
  pathOf(inode: Inode): string {
    return this.#nodes.get(inode)?.path ?? `inode ${inode}`;
  }

  apply(record: FileRecord): void {
    this.changes += 1;
    switch (record.kind) {
      case 'create':
        return this.#add(record, new FileNode());
      case 'mkdir':
        return this.#add(record, new DirectoryNode());
      case 'write':
        return this.#file(record.inode).change({ ...record, kind: 'write', number: this.changes });
      case 'truncate':
        return this.#file(record.inode).change({ ...record, kind: 'truncate', number: this.changes });
      case 'rename':
      case 'link':
        return this.#rename(record);
      case 'unlink':
      case 'rmdir':
        this.#name(record.path, undefined);
        return;
      case 'syncBegun':
        this.#syncs.set(record.thread, { node: this.#node(record.inode), changes: this.changes });
        return;
      case 'syncDone':
        return this.#endSync(record.thread);
    }
  }

  #add({ inode, path }: { inode: Inode; path: string }, node: Node): void {
    this.#nodes.set(inode, { node, path: path.slice(this.#rootPath.length + 1) });
    this.#name(path, node);
  }

  /** Changes a name in memory; on disk that is still to come. */
  #name(path: string, node: Node | undefined, after?: Naming): Naming {
    const slash = path.lastIndexOf('/');
    const directory = this.#directoryAt(path.slice(0, slash));
    const naming: Naming = { number: this.changes, directory, name: path.slice(slash + 1), node, after };
    directory.rename(naming);
    return naming;
  }

  #rename({ kind, inode, from, to }: FileRecord & { kind: 'rename' | 'link' }): void {
    const node = this.#node(inode);
    const added = this.#name(to, node);
    // A rename is one change to any file system: the old name does not go without the new one's coming.
    if (kind === 'rename') this.#name(from, undefined, added);
    this.#nodes.set(inode, { node, path: to.slice(this.#rootPath.length + 1) });
  }

  #endSync(thread: number): void {
    const sync = this.#syncs.get(thread);
    if (sync === undefined) throw new Error('A sync ended that had not begun');
    this.#syncs.delete(thread);
    sync.node.settle(sync.changes);
  }

  #node(inode: Inode): Node {
    const known = this.#nodes.get(inode);
    if (known === undefined)
      throw new Error(`Inode ${inode} changed, but how it came into being was not recorded`);
    return known.node;
  }

  #file(inode: Inode): FileNode {
    const node = this.#node(inode);
    if (node instanceof FileNode) return node;
    throw new Error(`Inode ${inode} is a directory and was written to`);
  }

  #directoryAt(path: string): DirectoryNode {
    let node: Node | undefined = this.root;
    for (const name of path.slice(this.#rootPath.length).split('/').filter(Boolean))
      node = node instanceof DirectoryNode ? node.names.get(name) : undefined;
    if (node instanceof DirectoryNode) return node;
    throw new Error(`A name changed in ${path}, which was never recorded to exist`);
  }
}
