/**
 * How a command line reaches each operation. The compiler refuses a table that lacks one; a test, one that no command
 * answers to.
 */
import type { OperationName } from '../../core/operation/table.ts';

/** The command line of every operation, as the help would write it. */
export const OPERATION_COMMANDS = {
  'service.list': 'status',
  'service.get': 'status SERVICE',
  'service.start': 'start SERVICE',
  'service.stop': 'stop SERVICE',
  'service.restart': 'restart SERVICE',
  'service.why': 'why SERVICE',
  'service.heal': 'heal SERVICE',
  'service.put': 'set SERVICE FILE',
  'service.delete': 'remove SERVICE',
  'spec.check': 'check --daemon FILE',
  'spec.apply': 'apply FILE',
  'run.list': 'runs',
  'run.get': 'runs RUN',
  'job.list': 'jobs',
  'job.get': 'jobs JOB',
  'job.log': 'logs SERVICE',
  'job.signal': 'signal SERVICE SIGNAL',
  'log.read': 'logs --times SERVICE',
  'log.search': 'search QUERY',
  'holder.find': 'holders CLAIM',
  'plugin.list': 'plugins',
  'event.list': 'events',
  'event.stream': 'events --follow',
  'health.get': 'health',
  'daemon.shutdown': 'down',
  'token.create': 'token create NAME',
  'token.list': 'token list',
  'token.revoke': 'token revoke TOKEN',
  'audit.list': 'audit',
} as const satisfies Record<OperationName, string>;
