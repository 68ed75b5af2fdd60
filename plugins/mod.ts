/**
 * The built-in plugins.
 */
import type { BuiltInPlugins } from '../core/plugin/built_in.ts';
import { execCheck } from './health_exec.ts';
import { heartbeatCheck } from './health_heartbeat.ts';
import { httpCheck } from './health_http.ts';
import { logCheck } from './health_log.ts';
import { tcpCheck } from './health_tcp.ts';
import { unixCheck } from './health_unix.ts';
import { lsofProbe } from './probe_lsof.ts';
import { procfsProbe } from './probe_procfs.ts';
import { restartRotator } from './rotate_restart.ts';
import { sizeRotator } from './rotate_size.ts';

/** Every built-in plugin; the probes in order of preference. */
export const builtInPlugins: BuiltInPlugins = {
  probes: [procfsProbe, lsofProbe],
  rotators: [restartRotator, sizeRotator],
  health_checks: [httpCheck, tcpCheck, unixCheck, execCheck, logCheck, heartbeatCheck],
  notifiers: [],
};
