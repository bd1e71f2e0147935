/**
 * The disk as it is found after a power cut, by one whim: a tree of names and octets. Sectors of 512 octets land whole,
 * each as it was at some moment: with a change all earlier ones of its sector.
 */

import type { Disk } from './disk.ts';
import { type Change, hashOf, type Image } from './image.ts';
import { DirectoryNode, type FileNode, type Naming, type Node, setName } from './nodes.ts';
import type { Whim } from './whim.ts';

export interface WreckedFile {
  /** Relative to the recorded directory. */
  path: string;
  image: Image;
}

export interface Wreck {
  /** Parents before their children. */
  directories: string[];
  /** The images may be those of the Disk: to be used before its next change. */
  files: WreckedFile[];
  /** Equal for equal names and octets. */
  hash: string;
}

const sectorBytes = 512;

export function wreck(disk: Disk, whim: Whim): Wreck {
  const walk = new Walk(whim, landedNames(disk, whim));
  walk.enter(disk.root, '');
  const { directories, files, hashes } = walk;
  return { directories, files, hash: hashOf([...directories, ...hashes].sort().join('\n')) };
}

/** All pending changes of names that land; the halves of a rename in the right company. */
function landedNames(disk: Disk, whim: Whim): Set<Naming> {
  const landed = new Set<Naming>();
  for (const naming of pendingNames(disk.root, new Set())) if (whim.ofName(naming)) landed.add(naming);
  for (const { after } of [...landed]) if (after !== undefined) landed.add(after);
  return landed;
}

/** Of all directories that can be reached, as the running system sees them or as they are on disk. */
function pendingNames(directory: DirectoryNode, seen: Set<DirectoryNode>): Naming[] {
  if (seen.has(directory)) return [];
  seen.add(directory);
  const nodes = [...directory.durable.values(), ...directory.pending.map(({ node }) => node)];
  const below = nodes.flatMap((node) => (node instanceof DirectoryNode ? pendingNames(node, seen) : []));
  return [...directory.pending, ...below];
}

class Walk {
  readonly directories: string[] = [];
  readonly files: WreckedFile[] = [];
  readonly hashes: string[] = [];
  readonly #whim: Whim;
  readonly #landed: ReadonlySet<Naming>;
  /** A file of two names has the same octets under both. */
  readonly #images = new Map<FileNode, Image>();

  constructor(whim: Whim, landed: ReadonlySet<Naming>) {
    this.#whim = whim;
    this.#landed = landed;
  }

  enter(directory: DirectoryNode, path: string): void {
    for (const [name, node] of this.#namesIn(directory))
      this.#visit(node, path === '' ? name : `${path}/${name}`);
  }

  #namesIn({ durable, pending }: DirectoryNode): Map<string, Node> {
    const names = new Map(durable);
    for (const naming of pending) if (this.#landed.has(naming)) setName(names, naming);
    return names;
  }

  #visit(node: Node, path: string): void {
    if (node instanceof DirectoryNode) {
      this.directories.push(path);
      return this.enter(node, path);
    }
    const image = this.#images.get(node) ?? imageOf(node, this.#whim);
    this.#images.set(node, image);
    this.files.push({ path, image });
    this.hashes.push(`${path} ${image.hash}`);
  }
}

function imageOf({ durable, pending }: FileNode, whim: Whim): Image {
  if (pending.length === 0) return durable;
  const pieces = pending.map((change) => piecesOf(change, whim));
  const newest = newestBySector(pieces);
  const image = durable.copy();
  for (const [turn, { change, fate, sectors }] of pieces.entries()) {
    if (change.kind === 'truncate') {
      if (fate === 'landed') image.resize(change.length);
      continue;
    }
    for (const sector of sectors.keys())
      if (turn <= (newest.get(sector) ?? -1)) putSector(image, change, sector);
    if (fate === 'length' || fate === 'landed') image.extend(change.offset + change.octets.length);
  }
  return image;
}

interface Pieces {
  change: Change;
  fate: ReturnType<Whim['ofChange']>;
  /** The sectors that a write touches, and whether they landed. */
  sectors: Map<number, boolean>;
}

function piecesOf(change: Change, whim: Whim): Pieces {
  const fate = whim.ofChange(change);
  const sectors = new Map<number, boolean>();
  if (change.kind === 'write') {
    const end = change.offset + change.octets.length;
    for (let sector = Math.floor(change.offset / sectorBytes); sector * sectorBytes < end; sector++)
      sectors.set(sector, fate === 'landed' || (fate === 'torn' && whim.ofSector()));
  }
  return { change, fate, sectors };
}

/** By sector, the turn of the newest change that landed in it. */
function newestBySector(pieces: readonly Pieces[]): Map<number, number> {
  const newest = new Map<number, number>();
  for (const [turn, { sectors }] of pieces.entries())
    for (const [sector, landed] of sectors) if (landed) newest.set(sector, turn);
  return newest;
}

function putSector(image: Image, { offset, octets }: Change & { kind: 'write' }, sector: number): void {
  const start = Math.max(offset, sector * sectorBytes);
  const end = Math.min(offset + octets.length, (sector + 1) * sectorBytes);
  image.put(octets.subarray(start - offset, end - offset), start);
}
