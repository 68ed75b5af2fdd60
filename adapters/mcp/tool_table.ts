/**
 * Which operation is offered by which tools. The compiler refuses a table that lacks an operation, and a tool that
 * stands beside an operation that it does not call.
 */
import type { CallName, OperationName } from '../../core/operation/table.ts';
import type { Tool } from './tool.ts';
import { timeline, whoHolds } from './tools/fact_tools.ts';
import { heal, planHeal } from './tools/heal_tools.ts';
import { readLogs, searchLogs } from './tools/log_tools.ts';
import { diagnose, inspect, list, restart, start, stop } from './tools/service_tools.ts';
import { applySpec, validateSpec } from './tools/spec_tools.ts';

/** Why an operation is no tool. Few tools that are well described serve an agent better than all there could be. */
export interface NotOffered {
  readonly not_offered: string;
}

/** Every operation's tools. */
export const OFFERED = {
  'service.list': [list],
  'service.get': [inspect],
  'service.why': [diagnose],
  'service.heal': [planHeal, heal],
  'service.start': [start],
  'service.stop': [stop],
  'service.restart': [restart],
  'log.read': [readLogs],
  'log.search': [searchLogs],
  'event.list': [timeline],
  'holder.find': [whoHolds],
  'spec.check': [validateSpec],
  'spec.apply': [applySpec],
  'event.stream': notOffered('clients subscribe to resources, and get events as log messages'),
  'service.put': notOffered('apply_spec does it, and shows the whole first'),
  'service.delete': notOffered('apply_spec does it, and shows the whole first'),
  'job.signal': notOffered('a signal by hand is no way of healing'),
  'job.log': notOffered('it is a stream; the resource upkeep://jobs/{id}/log shows its end'),
  'job.list': notOffered('inspect names the jobs of a service'),
  'job.get': notOffered('inspect shows the jobs of a service'),
  'run.list': notOffered('the timeline tells when a service was started and stopped'),
  'run.get': notOffered('the timeline tells when a service was started and stopped'),
  'plugin.list': notOffered('for those who write plugins; the command line shows them'),
  'health.get': notOffered('a tool that answers proves that upkeep runs'),
  'daemon.shutdown': notOffered('an agent that works through upkeep must not end it'),
  'token.create': notOffered('who may do what is decided by people'),
  'token.list': notOffered('who may do what is decided by people'),
  'token.revoke': notOffered('who may do what is decided by people'),
  'audit.list': notOffered('who did what is for the owner to read'),
} as const satisfies { [N in OperationName]: Entry<N> };

type Entry<N extends OperationName> = NotOffered | (N extends CallName ? readonly Tool<N>[] : never);

/** Every tool, in the order in which they are listed. */
export const TOOLS: readonly Tool[] = Object.values<NotOffered | readonly object[]>(OFFERED).flatMap(
  (entry) =>
    // Each stands beside its own operation; as one of many, which it was is no longer in its type.
    'not_offered' in entry ? [] : (entry as readonly Tool[]),
);

function notOffered(reason: string): NotOffered {
  return { not_offered: reason };
}
