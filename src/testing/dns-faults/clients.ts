/** Faults of what mail programs look up to set themselves up: SRV (RFC 6186), autoconfig. */

import { edit } from './edits.ts';
import type { Fault } from './fault.ts';

export const clientFaults: readonly Fault[] = [
  {
    id: 'srv-wrong',
    what: 'an SRV record leads to the server before',
    plant: (model) =>
      edit(model.zone, `_submissions._tcp.${model.domain}`, { SRV: [[0, 1, 465, 'old.example']] }),
  },
  {
    id: 'srv-missing',
    what: 'an SRV record is missing',
    plant(model) {
      delete model.zone[`_submissions._tcp.${model.domain}`];
    },
  },
  {
    id: 'autoconfig-wrong',
    what: 'autoconfig leads to another machine',
    plant(model) {
      model.zone[`autoconfig.${model.domain}`] = { A: [model.places.nobody] };
    },
  },
  {
    id: 'srv-wrong',
    what: 'an SRV record has another port',
    plant: (model) =>
      edit(model.zone, `_submissions._tcp.${model.domain}`, { SRV: [[0, 1, 25, model.hostname]] }),
    says: /25/,
  },
  {
    id: 'srv-wrong',
    what: 'an SRV record says that there is no such service',
    plant: (model) => edit(model.zone, `_submissions._tcp.${model.domain}`, { SRV: [[0, 0, 0, '']] }),
  },
  {
    id: 'autoconfig-missing',
    what: 'autoconfig is an alias that leads nowhere',
    plant(model) {
      model.zone[`autoconfig.${model.domain}`] = { CNAME: `webmail.${model.domain}` };
    },
    says: /webmail/,
  },
];
