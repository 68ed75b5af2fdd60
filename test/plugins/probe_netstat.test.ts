import { describe } from 'vitest';
import { inProcessProbe } from '../../core/plugin/probe_port.ts';
import { netstatProbe } from '../../plugins/probe_netstat.ts';
import { probeCases } from '../contract/probe.ts';
import { describeContract } from '../contract/vitest.ts';

const ONE_PROCESS = 'netstat names one of the processes that have a socket';

describe('netstat: the contract', () =>
  describeContract(probeCases(inProcessProbe(netstatProbe, {})), {
    'names a holder in a way that can be proved again': 'netstat tells no descriptor',
    'a path with a space in it': 'netstat cuts it there',
    'a path with a line break in it': 'netstat cuts it there',
    'a listener that a child has inherited: both hold the one socket': ONE_PROCESS,
    'a process that ends while it is looked at holds nothing any more': ONE_PROCESS,
  }));
