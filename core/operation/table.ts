/**
 * The table of operations: all that can be asked of upkeep, each declared once.
 */
import type * as v from 'valibot';
import { auditList, tokenCreate, tokenList, tokenRevoke } from './access_operations.ts';
import { daemonShutdown, healthGet, holderFind } from './daemon_operations.ts';
import { eventList, eventStreamed } from './event_operations.ts';
import { serviceHeal } from './heal_operations.ts';
import { jobGet, jobList, jobLog, runGet, runList } from './job_operations.ts';
import { jobSignal, logRead, logSearch } from './line_operations.ts';
import type { Operation } from './operation.ts';
import { pluginList } from './plugin_operations.ts';
import {
  serviceGet,
  serviceList,
  serviceRestart,
  serviceStart,
  serviceStop,
  serviceWhy,
} from './service_operations.ts';
import { serviceDelete, servicePut, specApply, specCheck } from './spec_operations.ts';

/** Every operation by its name. */
export const OPERATIONS = {
  'service.list': serviceList,
  'service.get': serviceGet,
  'service.start': serviceStart,
  'service.stop': serviceStop,
  'service.restart': serviceRestart,
  'service.why': serviceWhy,
  'service.heal': serviceHeal,
  'service.put': servicePut,
  'service.delete': serviceDelete,
  'spec.check': specCheck,
  'spec.apply': specApply,
  'run.list': runList,
  'run.get': runGet,
  'job.list': jobList,
  'job.get': jobGet,
  'job.log': jobLog,
  'job.signal': jobSignal,
  'log.read': logRead,
  'log.search': logSearch,
  'holder.find': holderFind,
  'plugin.list': pluginList,
  'event.list': eventList,
  'event.stream': eventStreamed,
  'health.get': healthGet,
  'daemon.shutdown': daemonShutdown,
  'token.create': tokenCreate,
  'token.list': tokenList,
  'token.revoke': tokenRevoke,
  'audit.list': auditList,
} as const satisfies Record<string, Operation>;

/** The name of an operation. */
export type OperationName = keyof typeof OPERATIONS;

/** The name of a subscription. */
export type SubscriptionName = 'job.log' | 'event.stream';

/** The name of an operation with one answer. */
export type CallName = Exclude<OperationName, SubscriptionName>;

/** What the operation `N` takes, before it is checked. */
export type InputOf<N extends OperationName> = v.InferInput<(typeof OPERATIONS)[N]['input']>;

/** What the operation `N` answers; of a subscription, each item. */
export type OutputOf<N extends OperationName> = v.InferOutput<(typeof OPERATIONS)[N]['output']>;
