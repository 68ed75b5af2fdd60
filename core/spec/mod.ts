/**
 * The service file: from text to checked records. `json_schema.ts` stands beside this face, as only the build needs it.
 */
export { claimsOf } from './claims.ts';
export { parseEnvFile } from './env_file.ts';
export { durationField, flagField, sizeField, timeoutField } from './fields.ts';
export { formatIssues, type SpecIssue } from './issue.ts';
export { jobPolicy } from './job_policy.ts';
export { nearest } from './nearest.ts';
export { dependents, startOrder } from './order.ts';
export {
  type FoundFault,
  type OpenServiceFile,
  openServiceFile,
  type ParsedServiceFile,
  parseServiceFile,
} from './parse.ts';
export type { PluginUse } from './plugin_uses.ts';
export type { NamedPlugin, SpecRegistry } from './registry.ts';
export type {
  ActionSpec,
  HealthSpec,
  KillOther,
  NotifySpec,
  PluginSpec,
  ProbesSpec,
  ReadyClaims,
  ServiceFile,
  ServiceSpec,
} from './spec.ts';
export { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';
