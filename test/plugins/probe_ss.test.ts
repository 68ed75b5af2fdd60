import { describe } from 'vitest';
import { inProcessProbe } from '../../core/plugin/probe_port.ts';
import { ssProbe } from '../../plugins/probe_ss.ts';
import { probeCases } from '../contract/probe.ts';
import { describeContract } from '../contract/vitest.ts';

describe('ss: the contract', () => describeContract(probeCases(inProcessProbe(ssProbe, {}))));
