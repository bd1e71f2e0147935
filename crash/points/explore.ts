/**
 * Goes through crash points of a recording: after each record, by every whim, the disk as it would be found is laid out,
 * the server restarted on it, and what is found judged by what had been promised up to there.
 */

import { describe, isFileRecord } from '../recorder/log.ts';
import { Disk } from './disk/disk.ts';
import { makeWhim, whimNames } from './disk/whim.ts';
import { type Wreck, wreck } from './disk/wreck.ts';
import { type Evidence, Judge, type Verdict } from './judge/judge.ts';
import { Ledger } from './judge/ledger.ts';
import type { Recording } from './recording.ts';
import type { Findings } from './restart/findings.ts';

export interface ExploreOptions {
  recording: Recording;
  /** All lots follow from it. */
  seed: number;
  /** Restarts a server on a wreck. */
  restart(wreck: Wreck): Promise<Findings>;
}

/** Where the power was cut, and what it did to what was not yet on disk. */
export interface Point {
  scene: string;
  /** So many records had been written. */
  records: number;
  whim: string;
}

export interface Violation extends Verdict {
  point: Point;
  /** The last record before the cut, for people. */
  after: string;
}

export interface Explored {
  /** Of the distinct disks that the server was restarted on. */
  hashes: string[];
  /** Of the stretch, so many. */
  moments: number;
  /** How long it took. */
  tookMs: number;
  violations: Violation[];
}

export class Explorer {
  readonly #options: ExploreOptions;
  readonly #judge: Judge;
  #disk: Disk;
  #ledger: Ledger;
  #position = 0;

  constructor(options: ExploreOptions) {
    this.#options = options;
    this.#judge = new Judge(options.recording.letters);
    this.#disk = newDisk(options.recording);
    this.#ledger = new Ledger(options.recording.ports);
  }

  /** All points after `first` records, after the next one, and so on until before `end` records, as time allows. */
  async explore({ first, end, until }: { first: number; end: number; until: number }): Promise<Explored> {
    const found = new Map<string, Evidence>();
    const violations: Violation[] = [];
    const startedAt = performance.now();
    let records = first;
    for (; records < end && Date.now() < until; records++) {
      this.#moveTo(records);
      for (const [whim, wrecked] of this.#distinctWrecks()) {
        const evidence = found.get(wrecked.hash) ?? this.#judge.examine(await this.#options.restart(wrecked));
        found.set(wrecked.hash, evidence);
        const verdicts = this.#judge.judge(this.#ledger, evidence);
        violations.push(...verdicts.map((verdict) => ({ ...verdict, ...this.#place(whim) })));
      }
    }
    return {
      hashes: [...found.keys()],
      moments: records - first,
      tookMs: performance.now() - startedAt,
      violations,
    };
  }

  /** What the whims make of the disk as it is now; some are of the same effect. */
  #distinctWrecks(): [whim: string, wreck: Wreck][] {
    const wrecks = whimNames.map((whim): [string, Wreck] => [whim, this.#wreck(whim)]);
    return [...new Map(wrecks.map((pair) => [pair[1].hash, pair])).values()];
  }

  /** The disk at one point, for whoever wants to look at it. */
  wreckAt(records: number, whim: string): Wreck {
    this.#moveTo(records);
    return this.#wreck(whim);
  }

  #wreck(whim: string): Wreck {
    const { seed } = this.#options;
    const occasion = { seed, moment: this.#position, newest: this.#disk.changes };
    return wreck(this.#disk, makeWhim(whim, occasion));
  }

  #moveTo(records: number): void {
    const { recording } = this.#options;
    if (records < this.#position) {
      this.#disk = newDisk(recording);
      this.#ledger = new Ledger(recording.ports);
      this.#position = 0;
    }
    for (const record of recording.records.slice(this.#position, records)) {
      if (isFileRecord(record)) this.#disk.apply(record);
      else this.#ledger.follow(record);
    }
    this.#position = records;
  }

  #place(whim: string): { point: Point; after: string } {
    const { recording } = this.#options;
    const last = recording.records[this.#position - 1];
    const after = last === undefined ? 'the beginning' : describe(last, (inode) => this.#disk.pathOf(inode));
    return { point: { scene: recording.scene, records: this.#position, whim }, after };
  }
}

const newDisk = ({ root, rootInode }: Recording): Disk => new Disk(root, rootInode);
