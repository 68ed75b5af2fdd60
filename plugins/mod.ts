/**
 * The built-in plugins.
 */
import type { LogRotator } from '../core/plugin/log_rotator.ts';
import type { Probe } from '../core/plugin/probe.ts';
import { lsofProbe } from './probe_lsof.ts';
import { procfsProbe } from './probe_procfs.ts';
import { restartRotator } from './rotate_restart.ts';
import { sizeRotator } from './rotate_size.ts';

/** The ways of finding holders, in order of preference. */
export const builtInProbes: readonly Probe[] = [procfsProbe, lsofProbe];

/** The rules for when to rotate a log. */
export const builtInRotators: readonly LogRotator[] = [restartRotator, sizeRotator];
