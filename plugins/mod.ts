/**
 * The built-in plugins.
 */
import type { BuiltInPlugins } from '../core/plugin/built_in.ts';
import { execNotifier } from './notify_exec.ts';
import { webhookNotifier } from './notify_webhook.ts';
import { lsofProbe } from './probe_lsof.ts';
import { procfsProbe } from './probe_procfs.ts';
import { ageRotator } from './rotate_age.ts';
import { restartRotator } from './rotate_restart.ts';
import { sizeRotator } from './rotate_size.ts';

/** Every built-in plugin; the probes in order of preference. */
export const builtInPlugins: BuiltInPlugins = {
  probes: [procfsProbe, lsofProbe],
  rotators: [restartRotator, sizeRotator, ageRotator],
  health_checks: [],
  notifiers: [webhookNotifier, execNotifier],
};
