/**
 * The ways in which a domain's DNS goes wrong, one by one: each is planted into a zone in which all is right, and has to be
 * found by its name, with what follows from it and nothing else. The table that docs/DOCTOR.md tells of.
 */

import { clientFaults } from './dns-faults/clients.ts';
import { dkimFaults } from './dns-faults/dkim.ts';
import { dmarcFaults } from './dns-faults/dmarc.ts';
import { dnssecFaults } from './dns-faults/dnssec.ts';
import type { Fault } from './dns-faults/fault.ts';
import { hostFaults } from './dns-faults/hosts.ts';
import { spfFaults } from './dns-faults/spf.ts';
import { transportFaults } from './dns-faults/transport.ts';
import { zoneFaults } from './dns-faults/zone.ts';

export const dnsFaults: readonly Fault[] = [
  ...zoneFaults,
  ...dnssecFaults,
  ...hostFaults,
  ...spfFaults,
  ...dkimFaults,
  ...dmarcFaults,
  ...transportFaults,
  ...clientFaults,
];
