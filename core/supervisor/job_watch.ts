/**
 * Watches what runs: whether it becomes ready, goes on holding its claims, and is well.
 *
 * A job is ready once its own tree holds all of its claims and its startup and readiness checks have passed, in that
 * order: a check would otherwise ask whoever else is at the port.
 */
import { type CheckState, HealthWatch, type LookRecord } from '../health/health_watch.ts';
import { isIll, isInDoubt, notPassed, unhealthyReason } from '../health/illness.ts';
import type { Health } from '../health/verdict.ts';
import type { Agenda } from '../host/agenda.ts';
import type { Host } from '../host/host.ts';
import { identityOf } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Logs } from '../log/mod.ts';
import type { HealthCheck } from '../plugin/health_check.ts';
import { isOwnProcess } from '../process/own_tree.ts';
import { ClaimWatch, type LookUp } from '../readiness/claim_watch.ts';
import { claimsOf } from '../spec/mod.ts';
import type { JobLoop } from './job_loop.ts';
import type { JobRuntime } from './runtime.ts';

/** What the watch works with. */
export interface JobWatchPorts {
  readonly host: Host;
  readonly agenda: Agenda;
  readonly loop: JobLoop;
  readonly logs: Logs;
  readonly lookUp: LookUp;
  random(): number;
  /** The health check of a type; null where its plugin is not there. */
  check(type: string): HealthCheck | null;
  note(runtime: JobRuntime, why: Reason): void;
  /** The health of a job is another. */
  changed(): void;
}

/** Lines of a log that a check may read. */
const LOG_LINES = 1000;
/** The last moment to say what a start still waits for is so long before its deadline, in ms. */
const LAST_WORD = 20;

/** See the top of this file. */
export class JobWatch {
  readonly #ports: JobWatchPorts;
  readonly #claims: ClaimWatch;
  readonly #health: HealthWatch;
  /** The health last told of, by job. */
  readonly #told = new Map<string, Health>();

  constructor(ports: JobWatchPorts) {
    this.#ports = ports;
    const { host, agenda, loop } = ports;
    this.#claims = new ClaimWatch(host, agenda, ports.lookUp, {
      ready: ({ job_id, epoch }, note) => {
        const runtime = loop.jobs.get(job_id);
        if (runtime === undefined || runtime.job.epoch !== epoch) return;
        if (note !== null) ports.note(runtime, note);
        this.#claimsHeld(runtime);
      },
      fault: ({ job_id, epoch }, why) =>
        loop.dispatch(job_id, { type: 'faulted', epoch, reason: why, give_up: false }),
      together: (tell) => loop.together(tell),
    });
    this.#health = new HealthWatch(
      { clock: host.clock, agenda, random: ports.random, check: ports.check },
      {
        looked: (job_id, before, after) => this.#looked(job_id, before, after),
        ready: (job_id) => this.#ready(job_id),
      },
    );
  }

  /** A job has started: tells it when it is ready, or why it is not. */
  awaitReady(runtime: JobRuntime): void {
    const { job } = runtime;
    if (job.phase !== 'starting') return;
    if (!this.#watchClaims(runtime, job.deadline)) this.#claimsHeld(runtime);
  }

  /** A job is ready: sees that it stays as it is. */
  keep(runtime: JobRuntime): void {
    this.#ports.agenda.delete(lastWordKey(runtime.job.id));
    this.#watchClaims(runtime, null);
    // What its start waited for is watched already.
    if (this.#health.checks(runtime.job.id).length === 0) this.#beginHealth(runtime, true);
  }

  /** A job does not run any more. */
  drop(job_id: string): void {
    this.#ports.agenda.delete(lastWordKey(job_id));
    this.#claims.drop(job_id);
    this.#health.drop(job_id);
    this.#told.delete(job_id);
  }

  /** The health checks of a job that runs. */
  checks(job_id: string): readonly CheckState[] {
    return this.#health.checks(job_id);
  }

  /** What the checks of a job come to. */
  health(job_id: string): Health {
    return this.#health.health(job_id);
  }

  /** False where there is nothing to watch. */
  #watchClaims({ job, spec, sessions }: JobRuntime, deadline: number | null): boolean {
    const { processes } = this.#ports.host;
    const main = identityOf(job);
    const claims = claimsOf(spec);
    if (main === null || claims.length === 0 || spec.ready.claims === 'none') return false;
    const tree = { job_id: job.id, incarnation: job.restart_count, main, sessions };
    this.#claims.watch({
      job_id: job.id,
      epoch: job.epoch,
      claims,
      mode: spec.ready.claims,
      main: main.pid,
      isOwn: (pid) => isOwnProcess(pid, tree, processes),
      deadline,
    });
    return true;
  }

  #claimsHeld(runtime: JobRuntime): void {
    const { job, spec } = runtime;
    if (job.phase !== 'starting') return;
    if (spec.health.every(({ role }) => role === 'liveness')) {
      this.#ports.loop.dispatch(job.id, { type: 'ready', epoch: job.epoch });
      return;
    }
    // While its checks are waited for a claim can be lost again.
    this.#watchClaims(runtime, null);
    const { id, epoch } = job;
    this.#ports.agenda.set(lastWordKey(id), job.deadline - LAST_WORD, () => {
      const missing = notPassed(this.checks(id));
      const why = reason('NOT_READY', `not ready in time: ${missing.join(', ')}`, { checks: missing });
      this.#ports.loop.dispatch(id, { type: 'faulted', epoch, reason: why, give_up: false });
    });
    this.#beginHealth(runtime, false);
  }

  #beginHealth({ job, spec, log }: JobRuntime, ready: boolean): void {
    const main = identityOf(job);
    if (main === null || spec.health.length === 0) return;
    const { logs } = this.#ports;
    const { id: job_id, service, action, restart_count } = job;
    this.#health.begin(
      {
        job: {
          service,
          action,
          job_id,
          restart_count,
          pid: main.pid,
          started_at: job.started_at ?? this.#ports.host.clock.wall(),
          cwd: spec.cwd,
        },
        specs: spec.health,
        readLog: async (since) =>
          linesOf(logs.read(log, { since, incarnation: restart_count, tail: LOG_LINES })),
      },
      ready,
    );
  }

  #ready(job_id: string): void {
    const job = this.#ports.loop.jobs.get(job_id)?.job;
    if (job?.phase === 'starting') this.#ports.loop.dispatch(job_id, { type: 'ready', epoch: job.epoch });
  }

  #looked(job_id: string, before: CheckState, after: CheckState): void {
    const runtime = this.#ports.loop.jobs.get(job_id);
    if (runtime === undefined) return;
    this.#noteBlindness(runtime, before.last, after);
    const wasIll = isIll(before);
    if (runtime.job.phase === 'running') {
      const suspect = this.checks(job_id).some(isInDoubt);
      if (suspect !== isSuspected(runtime)) {
        this.#ports.loop.dispatch(job_id, { type: 'suspected', epoch: runtime.job.epoch, suspect });
      }
      if (isIll(after) && !wasIll) this.#fellIll(runtime, after);
      else if (wasIll && !isIll(after)) {
        this.#ports.note(
          runtime,
          reason('HEALTHY', `${after.spec.type} passes again: ${after.last?.message}`),
        );
      }
    }
    const health = this.health(job_id);
    if (health === this.#told.get(job_id)) return;
    this.#told.set(job_id, health);
    this.#ports.changed();
  }

  #fellIll(runtime: JobRuntime, check: CheckState): void {
    const why = unhealthyReason(check);
    const { role, on_failure } = check.spec;
    if (role === 'readiness' || on_failure === 'report') this.#ports.note(runtime, why);
    else {
      const { id, epoch } = runtime.job;
      const give_up = on_failure === 'stop';
      this.#ports.loop.dispatch(id, { type: 'faulted', epoch, reason: why, give_up });
    }
  }

  /** That a check cannot look is told when it begins and when it is over. */
  #noteBlindness(runtime: JobRuntime, before: LookRecord | null, { spec, last }: CheckState): void {
    const wasBlind = before?.status === 'unknown';
    const isBlind = last?.status === 'unknown';
    if (isBlind === wasBlind) return;
    const message = isBlind ? `could not look: ${last.message}` : 'can look again';
    this.#ports.note(runtime, reason('CHECK_UNAVAILABLE', `${spec.type}: ${message}`, { check: spec.type }));
  }
}

function lastWordKey(job_id: string): string {
  return `ready:${job_id}`;
}

/** The machine has heard of a doubt about its health. */
function isSuspected({ job }: JobRuntime): boolean {
  return job.phase === 'running' && !job.stable && job.deadline === null;
}

async function linesOf(chunks: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const lines = Buffer.concat(all).toString().split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
