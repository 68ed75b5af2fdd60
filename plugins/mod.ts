/**
 * The built-in plugins.
 */
import type { BuiltInPlugins } from '../core/plugin/built_in.ts';
import { inProcessProbe } from '../core/plugin/probe_port.ts';
import { execCheck } from './health_exec.ts';
import { heartbeatCheck } from './health_heartbeat.ts';
import { httpCheck } from './health_http.ts';
import { logCheck } from './health_log.ts';
import { tcpCheck } from './health_tcp.ts';
import { unixCheck } from './health_unix.ts';
import { execNotifier } from './notify_exec.ts';
import { webhookNotifier } from './notify_webhook.ts';
import { lsofProbe } from './probe_lsof.ts';
import { netstatProbe } from './probe_netstat.ts';
import { procfsProbe } from './probe_procfs.ts';
import { ssProbe } from './probe_ss.ts';
import { ageRotator } from './rotate_age.ts';
import { restartRotator } from './rotate_restart.ts';
import { sizeRotator } from './rotate_size.ts';

/** Every built-in plugin; the probes in order of preference. */
export const builtInPlugins: BuiltInPlugins = {
  probes: [procfsProbe, inProcessProbe(ssProbe, {}), lsofProbe, inProcessProbe(netstatProbe, {})],
  rotators: [restartRotator, sizeRotator, ageRotator],
  health_checks: [httpCheck, tcpCheck, unixCheck, execCheck, logCheck, heartbeatCheck],
  notifiers: [webhookNotifier, execNotifier],
};
