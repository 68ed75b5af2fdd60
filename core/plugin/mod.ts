/**
 * `upkeep/plugin`: what a plugin is written against.
 */
export type { Connection, HttpResponse, NetTarget } from '../host/host.ts';
export type { Claim, PortClaim, SocketClaim } from '../reclaim/claim.ts';
export type { EventRecord } from '../store/records.ts';
export type {
  CheckedJob,
  FetchOptions,
  FileFacts,
  HealthContext,
  PluginContext,
  RunOptions,
  RunResult,
} from './context.ts';
export {
  defineHealthCheck,
  defineLogRotator,
  defineNotifier,
  defineProbe,
  type FoundHolder,
  GiveUp,
  type HealthCheckPlugin,
  type HealthResult,
  type HoldersFound,
  type HoldersQuery,
  type LogRotatorPlugin,
  type NotifierPlugin,
  type OptionsOf,
  type OptionsSchema,
  PLUGIN_API,
  type Plugin,
  type PluginAbout,
  type PluginKind,
  type ProbePlugin,
} from './definition.ts';
export type { LogFacts, RotationDecision } from './log_rotator.ts';
export { PermissionDenied, type Permissions } from './permissions.ts';
