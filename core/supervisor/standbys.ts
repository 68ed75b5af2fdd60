/**
 * Which jobs have a process standing by, so that their next restart needs no fork.
 *
 * There are a few, whatever the number of jobs: they go to jobs that run, and who crashed last comes first. They are
 * forked one at a time, in quiet moments: never while anything starts.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Clock, Program, Spawner, Standby } from '../host/host.ts';
import { MARKER, SPAWNED } from '../process/marker.ts';
import type { JobRuntime } from './runtime.ts';

/** How many there are at most. A waiting shell takes a tenth of a megabyte that is its own. */
const MAX_STANDBYS = 4;
/** So long after the latest job began to run the next one is forked, in ms. */
const QUIET = 250;

/** What standbys are made with. */
export interface StandbyPorts {
  readonly clock: Clock;
  readonly agenda: Agenda;
  readonly spawner: Pick<Spawner, 'standBy'>;
  /**
   * What a job's next incarnation runs; null where it is always forked anew.
   *
   * @throws where it cannot be launched as things are.
   */
  program(runtime: JobRuntime): Program | null;
}

/** See the top of this file. */
export class Standbys {
  readonly #ports: StandbyPorts;
  /** By job, who is to lose its standby first coming first. Null: it is still to be forked. */
  readonly #standbys = new Map<string, Standby | null>();
  readonly #wanting = new Map<string, JobRuntime>();

  constructor(ports: StandbyPorts) {
    this.#ports = ports;
  }

  /** A job runs: it may have a standby. One that was restarted takes the place of one that was not for longer. */
  expect(runtime: JobRuntime): void {
    if (this.#isFor(runtime)) this.#want(runtime);
    // Whoever it is: something has just started.
    if (this.#wanting.size > 0) this.#later();
  }

  #isFor({ job, spec }: JobRuntime): boolean {
    if (spec.restart.policy === 'never') return false;
    return this.#standbys.size < MAX_STANDBYS || this.#standbys.has(job.id) || job.restart_count > 0;
  }

  #want(runtime: JobRuntime): void {
    const { id } = runtime.job;
    const known = this.#standbys.get(id) ?? null;
    this.#standbys.delete(id);
    this.#standbys.set(id, known);
    for (const other of this.#standbys.keys()) {
      if (this.#standbys.size <= MAX_STANDBYS) break;
      this.drop(other);
    }
    this.#wanting.set(id, runtime);
  }

  /** The job's standby, which is not kept here any more. */
  take(job_id: string): Standby | undefined {
    const standby = this.#standbys.get(job_id);
    if (standby === undefined) return undefined;
    this.#standbys.set(job_id, null);
    return standby ?? undefined;
  }

  /** The job is at rest. */
  drop(job_id: string): void {
    this.#standbys.get(job_id)?.discard();
    this.#standbys.delete(job_id);
    this.#wanting.delete(job_id);
  }

  /** Ends them all. */
  close(): void {
    for (const job_id of [...this.#standbys.keys()]) this.drop(job_id);
  }

  #later(): void {
    const { agenda, clock } = this.#ports;
    agenda.set('standbys', clock.mono() + QUIET, () => this.#forkOne());
  }

  #forkOne(): void {
    const [first] = this.#wanting;
    if (first === undefined) return;
    const [id, runtime] = first;
    this.#wanting.delete(id);
    if (runtime.job.phase === 'running' && this.#standbys.get(id)?.waiting !== true) {
      this.#standbys.set(id, this.#fork(runtime));
    }
    if (this.#wanting.size > 0) this.#later();
  }

  #fork(runtime: JobRuntime): Standby | null {
    try {
      const program = this.#ports.program(runtime);
      return program === null ? null : this.#ports.spawner.standBy(program, [MARKER, SPAWNED]);
    } catch {
      // It is told once it matters: at the restart.
      return null;
    }
  }
}
