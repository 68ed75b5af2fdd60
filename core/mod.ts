/**
 * upkeep as a library: a supervisor in this process. The command `upkeep up` is this, with the built-in plugins, HTTP
 * on a socket and signals around it.
 *
 * @example
 * ```ts
 * const supervisor = await startSupervisor({ host: nodeHost(), state_dir, spec_file, ... });
 * supervisor.restart('shop', 'core');
 * await supervisor.shutdown('core');
 * ```
 */
export type { Host } from './host/host.ts';
export { nodeHost } from './host/node_host.ts';
export type { Phase, Wanted } from './job/job.ts';
export { REASON_CODES, type Reason, type ReasonCode } from './job/reason.ts';
export type { LogRotator } from './plugin/log_rotator.ts';
export type { Probe } from './plugin/probe.ts';
export type { Control, JobView, ServiceState, ServiceView, Why } from './supervisor/control.ts';
export { NotFound } from './supervisor/control.ts';
export type { SupervisorOptions } from './supervisor/options.ts';
export { StateFolderError } from './supervisor/paths.ts';
export { SpecError } from './supervisor/service_file.ts';
export { AlreadyRunning, startSupervisor } from './supervisor/start.ts';
export type { Supervisor } from './supervisor/supervisor.ts';
