/**
 * What upkeep may not do, and what somebody can do instead. Pure.
 */
import type { Reason } from '../job/reason.ts';

/** What would allow it, and what else there is to do. */
export interface Instead {
  readonly grant: string | null;
  readonly instead: readonly string[];
}

/**
 * What can be done about a reason that upkeep cannot do away with. What the reason says itself comes first.
 *
 * @example
 * ```ts
 * instead('main', reason('PORT_HELD', …)); // { grant: '`kill_other: true` or …', instead: ['stop it by hand, …'] }
 * ```
 */
export function instead(action: string, { code, evidence }: Reason): Instead {
  const next = typeof evidence['next'] === 'string' ? [evidence['next']] : [];
  // Only a stranger's process is a matter of permission.
  const foreign = (evidence['holder'] as { class?: unknown } | null | undefined)?.class === 'foreign';
  switch (code) {
    case 'PORT_HELD':
    case 'SOCKET_HELD':
      return {
        grant: foreign ? `\`kill_other: true\` or \`singleton: true\` in the action '${action}'` : null,
        instead: next,
      };
    case 'PIDFILE_HELD':
      return { grant: foreign ? `\`singleton: true\` in the action '${action}'` : null, instead: next };
    case 'COMMAND_NOT_FOUND':
      return { grant: null, instead: ['install the program, or correct `run` in the service file'] };
    case 'SPAWN_FAILED':
      return { grant: null, instead: ['mend what the message names'] };
    case 'SURVIVORS':
      return {
        grant: null,
        instead: next.length > 0 ? next : ['look at what those processes wait for in the kernel'],
      };
    default:
      return { grant: null, instead: next };
  }
}
