/** One event as people read it. */

import type { DialogueLine } from './event.ts';

export interface Step {
  /** One line. */
  title: string;
  /** Lines that belong to it. */
  details: string[];
  mood: 'good' | 'waiting' | 'bad' | 'plain';
  dialogue?: readonly DialogueLine[];
}
