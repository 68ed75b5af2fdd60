/** When two states of the world are one. */
import { deadlineOf, type Escalation, type Job, PHASES, type StopCause } from '../../../core/job/job.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import { waitsForOthers } from '../../../core/job/recover.ts';
import { sameIdentity } from '../../../core/process/identity.ts';
import { type Incarnation, lives, type World } from './world.ts';

/**
 * The same number for worlds that differ in nothing that matters: counts count from where the job is, times do not
 * count at all.
 */
export function worldKey(world: World, policy: JobPolicy): number {
  const { job, launch } = world;
  const key = new Key();
  key.put(world.daemon === 'up' ? 0 : world.rebooted ? 1 : 2, 3);
  key.flag(world.halting);
  key.flag(world.owed);
  key.flag(world.reaping);
  key.flag(world.reclaim !== null);
  key.put(launch === null ? 0 : launch.done ? 1 : 2, 3);
  key.flag(world.watch !== null);
  putJob(key, job, policy);
  key.put(
    job.last_identity === null ? 0 : sameIdentity(job.last_identity, world.process?.identity ?? null) ? 1 : 2,
    3,
  );
  putProcess(key, world, policy);
  return key.value;
}

/** Small numbers, one after the other, in one. */
class Key {
  value = 0;

  /** @param value in [0, size). */
  put(value: number, size: number): void {
    this.value = this.value * size + value;
  }

  flag(value: boolean): void {
    this.put(value ? 1 : 0, 2);
  }
}

function putJob(key: Key, job: Job, { restart }: JobPolicy): void {
  const limit = restart.policy === 'never' ? 0 : restart.max_attempts;
  key.put(PHASES.indexOf(job.phase), PHASES.length);
  key.flag(job.wanted === 'up');
  key.put(Math.min(job.attempt, limit), limit + 1);
  key.flag(job.epoch > 0);
  key.put(job.started_at === null ? 0 : job.restart_count === 0 ? 1 : 2, 3);
  key.flag(deadlineOf(job) !== null);
  key.flag(job.phase === 'running' && job.stable);
  key.flag(job.phase === 'preparing' && job.step === 'spawn');
  key.flag(job.phase === 'retrying' && job.in_order);
  key.flag(job.phase === 'retrying' && waitsForOthers(job.reason));
  key.flag(job.phase === 'stopped' && job.reason.code === 'SURVIVORS');
  if (job.phase !== 'stopping') return;
  key.put(STOP_CAUSES.indexOf(job.cause), STOP_CAUSES.length);
  key.put(ESCALATIONS.indexOf(job.escalation), ESCALATIONS.length);
  key.flag(job.main_alive);
  // What was stable counts where the next step depends on how it ended.
  key.flag(job.cause !== 'requested' && job.was_stable);
  key.put(job.exit_code === 0 ? 0 : job.exit_code === null && job.exit_signal === null ? 1 : 2, 3);
}

const STOP_CAUSES: readonly StopCause[] = ['requested', 'fault', 'given_up', 'exit', 'lost'];
const ESCALATIONS: readonly Escalation[] = ['term', 'kill', 'survived'];
const ENDS = ['alive', 'clean', 'failed', 'killed', 'told'] as const;
const WATCHERS: readonly Incarnation['watched'][] = ['child', 'adopted', 'no'];

function putProcess(key: Key, { process, job, boot }: World, policy: JobPolicy): void {
  key.flag(process !== null);
  if (process === null) return;
  const { main, watched, noticed } = process;
  // How a process ended matters until it was told; a oneshot's status file stays.
  const told = policy.process && (noticed || watched !== 'child') && job.phase !== 'succeeded';
  key.put(ENDS.indexOf(main !== 'alive' && told ? 'told' : main), ENDS.length);
  key.put(WATCHERS.indexOf(watched), WATCHERS.length);
  key.flag(noticed);
  // Of the latest incarnation, of the one that is being spawned, or older.
  key.put(Math.max(process.number - job.restart_count, -1) + 1, 3);
  key.flag(process.identity.boot_id === `boot ${boot}`);
  key.flag(process.ready && (job.phase === 'starting' || job.phase === 'running'));
  key.flag(lives(process));
  if (!lives(process)) return;
  key.flag(process.group);
  key.flag(process.killed);
  key.flag(process.reported);
  key.flag(process.swept);
}
