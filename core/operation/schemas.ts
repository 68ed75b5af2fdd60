/**
 * The answers' schemas, one for each view. Each is held to its TypeScript record by the compiler, so that what is
 * published about an answer and what is answered cannot drift apart.
 */
import * as v from 'valibot';
import { PHASES } from '../job/job.ts';
import { REASON_CODES, type Reason } from '../job/reason.ts';
import { PLUGIN_KINDS } from '../plugin/definition.ts';
import type { PluginRecord } from '../plugin/remote/plugin_record.ts';
import type { Identity } from '../process/identity.ts';
import type { Claim } from '../reclaim/claim.ts';
import type { Actor, EventRecord, RunRow } from '../store/records.ts';
import type {
  ActionView,
  ActionWhy,
  CheckView,
  DaemonHealth,
  HolderView,
  JobView,
  ServiceView,
  Why,
} from '../supervisor/control.ts';
import { nextCallSchema, noteSchema } from './why_schemas.ts';

const wanted = v.picklist(['up', 'down']);
const state = v.picklist(['up', 'starting', 'degraded', 'retrying', 'stopping', 'down', 'failed']);
const phase = v.picklist(PHASES);
const code = v.picklist(REASON_CODES);
const evidence = v.record(v.string(), v.unknown());
const time = v.number();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.nullable(v.string());

/** A {@link Reason}. */
export const reasonSchema: v.GenericSchema<Reason> = v.object({ code, message: v.string(), evidence });

/** An {@link Identity}. */
export const identitySchema: v.GenericSchema<Identity> = v.object({
  boot_id: v.string(),
  pid: count,
  start_time: v.number(),
});

const health = v.picklist(['healthy', 'unhealthy', 'unknown']);

/** A {@link CheckView}. */
export const checkSchema: v.GenericSchema<CheckView> = v.object({
  type: v.string(),
  role: v.picklist(['startup', 'readiness', 'liveness']),
  on_failure: v.picklist(['restart', 'report', 'stop']),
  health,
  status: v.nullable(v.picklist(['pass', 'warn', 'fail', 'unknown'])),
  message: text,
  data: evidence,
  looked_at: v.nullable(time),
  duration: v.nullable(v.number()),
  passes: count,
  fails: count,
});

/** An {@link ActionView}. */
export const actionSchema: v.GenericSchema<ActionView> = v.object({
  action: v.string(),
  job_id: text,
  phase,
  health,
  checks: v.array(checkSchema),
  pid: v.nullable(count),
  started_at: v.nullable(time),
  restart_count: count,
  attempt: count,
  next_attempt_at: v.nullable(time),
  reason: v.nullable(reasonSchema),
});

/** A {@link ServiceView}. */
export const serviceSchema: v.GenericSchema<ServiceView> = v.object({
  name: v.string(),
  wanted,
  state,
  run_id: text,
  actions: v.array(actionSchema),
});

/** A {@link JobView}. */
export const jobSchema: v.GenericSchema<JobView> = v.object({
  id: v.string(),
  run_id: v.string(),
  service: v.string(),
  action: v.string(),
  wanted,
  phase,
  pid: v.nullable(count),
  identity: v.nullable(identitySchema),
  restart_count: count,
  attempt: count,
  next_attempt_at: v.nullable(time),
  reason: reasonSchema,
  created_at: time,
  started_at: v.nullable(time),
  ready_at: v.nullable(time),
  finished_at: v.nullable(time),
  exit_code: v.nullable(v.number()),
  exit_signal: text,
});

/** A {@link RunRow}. */
export const runSchema: v.GenericSchema<RunRow> = v.object({
  id: v.string(),
  service: v.string(),
  started_at: time,
  finished_at: v.nullable(time),
});

// A pattern and not a custom check, as it is to be published as JSON Schema; the type is what the pattern says.
const actorText: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^(cli|http|core|mcp:.*|plugin:.*)$/));
const actorSchema = actorText as v.GenericSchema<Actor>;

/** An {@link EventRecord}. */
export const eventSchema: v.GenericSchema<EventRecord> = v.object({
  seq: count,
  time,
  service: text,
  action: text,
  job_id: text,
  incarnation: v.nullable(count),
  from: v.nullable(phase),
  to: v.nullable(phase),
  code,
  message: v.string(),
  evidence,
  actor: actorSchema,
  cause: v.nullable(count),
});

/** An {@link ActionWhy}. */
export const actionWhySchema: v.GenericSchema<ActionWhy> = v.object({
  action: v.string(),
  job_id: text,
  phase,
  health,
  code,
  message: v.string(),
  evidence,
  confidence: v.picklist(['certain', 'inferred']),
  next_step: v.string(),
  next: v.nullable(nextCallSchema),
  notes: v.array(noteSchema),
  log_tail: v.array(v.string()),
  events: v.array(eventSchema),
});

/** A {@link Why}. */
export const whySchema: v.GenericSchema<Why> = v.object({
  service: v.string(),
  wanted,
  state,
  summary: v.string(),
  next: v.nullable(nextCallSchema),
  notes: v.array(noteSchema),
  actions: v.array(actionWhySchema),
});

/** A {@link Claim}. */
export const claimSchema: v.GenericSchema<Claim> = v.variant('kind', [
  v.object({ kind: v.picklist(['tcp', 'udp']), address: text, port: count }),
  v.object({ kind: v.literal('socket'), path: v.string() }),
]);

/** A {@link HolderView}. */
export const holderSchema: v.GenericSchema<HolderView> = v.object({
  claim: claimSchema,
  process: v.nullable(identitySchema),
  address: text,
  command: v.string(),
  fd: v.nullable(count),
  inode: text,
  class: v.picklist(['managed', 'foreign', 'protected', 'unknown']),
  service: text,
  action: text,
});

const permissions = v.object({
  run: v.array(v.string()),
  read: v.array(v.string()),
  net: v.array(v.string()),
});

/** A {@link PluginRecord}. */
export const pluginSchema: v.GenericSchema<PluginRecord> = v.object({
  name: text,
  kind: v.nullable(v.picklist(PLUGIN_KINDS)),
  source: v.string(),
  service: text,
  api: v.nullable(v.number()),
  summary: v.string(),
  asked: permissions,
  granted: permissions,
  missing: v.array(v.string()),
  not_enforced: v.array(v.string()),
  state: v.picklist(['built_in', 'starting', 'ready', 'failed', 'quarantined']),
  pid: v.nullable(count),
  restart_count: count,
  calls: count,
  faults: count,
  denied: count,
  last_error: text,
  last_call_ms: v.nullable(v.number()),
});

/** A {@link DaemonHealth}. */
export const healthSchema: v.GenericSchema<DaemonHealth> = v.object({
  status: v.picklist(['ok', 'degraded']),
  version: v.string(),
  pid: count,
  instance: v.string(),
  state_dir: v.string(),
  spec_file: text,
  started_at: time,
  store: v.nullable(reasonSchema),
});
