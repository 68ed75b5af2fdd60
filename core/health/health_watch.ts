/**
 * Looks at the health of running jobs, each check at its own pace, and tells what that comes to.
 *
 * A look never holds up anything else: it has a deadline, few are under way at once, and what it throws or never
 * answers is `unknown`, which does nothing. What a failing check does is not decided here.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Clock } from '../host/host.ts';
import { Interrupt } from '../host/interrupt.ts';
import { Lane } from '../host/lane.ts';
import type { CheckedJob } from '../plugin/context.ts';
import type { HealthCheck, Look } from '../plugin/health_check.ts';
import type { HealthSpec } from '../spec/spec.ts';
import { Spread } from './spread.ts';
import { afterLook, type Health, jobHealth, type LookStatus, type Standing, UNSEEN } from './verdict.ts';

/** What a look found. */
export interface LookRecord {
  readonly status: LookStatus;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When it began, ms since the epoch, and how long it took, ms. */
  readonly at: number;
  readonly duration: number;
}

/** A check of a running job, as it stands. */
export interface CheckState {
  readonly spec: HealthSpec;
  readonly standing: Standing;
  /** Null before the first look. */
  readonly last: LookRecord | null;
}

/** What is told. */
export interface HealthEvents {
  /** A look is over. */
  looked(job_id: string, before: CheckState, after: CheckState): void;
  /** Every startup and readiness check has passed, for the first time. */
  ready(job_id: string): void;
}

/** A job whose health is watched. */
export interface WatchedJob {
  readonly job: CheckedJob;
  readonly specs: readonly HealthSpec[];
  /** The last lines that this incarnation has written since a moment. */
  readLog(since: number): Promise<readonly string[]>;
}

/** What the watch works with. */
export interface HealthPorts {
  readonly clock: Clock;
  readonly agenda: Agenda;
  /** In [0, 1). */
  random(): number;
  /** The check of a type; null where its plugin is not there. */
  check(type: string): HealthCheck | null;
}

interface Entry {
  readonly watched: WatchedJob;
  readonly index: number;
  state: CheckState;
  /** Ends the look under way. */
  interrupt: Interrupt | null;
}

interface JobEntry {
  readonly watched: WatchedJob;
  readonly checks: readonly Entry[];
  /** Startup and readiness checks have passed, or are not waited for. */
  ready: boolean;
}

/** How many looks are under way at once: each may be a process. */
const WIDTH = 16;
/** Ms that a look which is told to end may take to say what it has seen; then nobody listens any more. */
const GRACE = 500;
/** Looks fall on instants so many ms apart: a thousand checks wake upkeep ten times a second at most. */
const GRID = 100;
/** But for those that come sooner than this, in ms: a pause is never another by more than a tenth. */
const GRIDDED = 500;
/**
 * Why a look's signal aborts once it is over. One for all: an error of its own for each, with where it was made, would
 * cost as much as a look.
 */
const OVER = new DOMException('The look is over', 'AbortError');
/** A check that has yet to pass for the first time looks this often at least, in ms: readiness should not wait. */
const EAGER = 250;

/** Its signal is made only for those who ask for it. */
class OneLook implements Look {
  readonly job: CheckedJob;
  readonly readLog: Look['readLog'];
  readonly interrupt: Interrupt;

  constructor({ job, readLog }: WatchedJob, interrupt: Interrupt) {
    this.job = job;
    this.readLog = readLog;
    this.interrupt = interrupt;
  }

  get signal(): AbortSignal {
    return this.interrupt.signal;
  }
}

/** Watches the health of any number of jobs. */
export class HealthWatch {
  readonly #ports: HealthPorts;
  readonly #events: HealthEvents;
  readonly #jobs = new Map<string, JobEntry>();
  readonly #lane = new Lane(WIDTH);
  readonly #spread: Spread;

  constructor(ports: HealthPorts, events: HealthEvents) {
    this.#ports = ports;
    this.#events = events;
    this.#spread = new Spread(ports.random());
  }

  /**
   * Begins to watch an incarnation; whatever was watched of the job before is dropped.
   *
   * @param ready its startup and readiness checks have passed before: it was adopted. Else they look at once, and
   *   liveness begins when they have passed.
   */
  begin(watched: WatchedJob, ready: boolean): void {
    const { job_id } = watched.job;
    this.drop(job_id);
    const checks = watched.specs.map(
      (spec, index): Entry => ({
        watched,
        index,
        state: { spec, standing: UNSEEN, last: null },
        interrupt: null,
      }),
    );
    const gating = checks.some(({ state }) => state.spec.role !== 'liveness');
    const job: JobEntry = { watched, checks, ready: ready || !gating };
    this.#jobs.set(job_id, job);
    for (const entry of checks) {
      const { role, interval } = entry.state.spec;
      if (job.ready) {
        if (role !== 'startup') this.#schedule(entry, this.#spread.next() * interval);
      } else if (role !== 'liveness') this.#schedule(entry, 0);
    }
  }

  /** Ends the watch of a job, and the looks under way. */
  drop(job_id: string): void {
    for (const entry of this.#jobs.get(job_id)?.checks ?? []) {
      entry.interrupt?.abort(OVER);
      this.#ports.agenda.delete(keyOf(entry));
    }
    this.#jobs.delete(job_id);
  }

  /** The checks of a job that is watched, as they stand. */
  checks(job_id: string): readonly CheckState[] {
    return this.#jobs.get(job_id)?.checks.map(({ state }) => state) ?? [];
  }

  /** What the checks of a job come to; startup checks that have passed are over. */
  health(job_id: string): Health {
    const standing = this.checks(job_id).filter(
      ({ spec, standing }) => spec.role !== 'startup' || standing.health !== 'healthy',
    );
    return jobHealth(standing.map(({ standing: { health } }) => health));
  }

  #schedule(entry: Entry, delay: number): void {
    const { agenda, clock } = this.#ports;
    const wanted = clock.mono() + delay;
    // To the nearest, so that one which was a little late does not drift on.
    const at = delay < GRIDDED ? wanted : Math.round(wanted / GRID) * GRID;
    agenda.set(keyOf(entry), at, () => void this.#look(entry));
  }

  async #look(entry: Entry): Promise<void> {
    const due = this.#ports.clock.mono();
    const record = await this.#lane.run(async () => (this.#isCurrent(entry) ? this.#record(entry) : null));
    if (record === null || !this.#isCurrent(entry)) return;
    const { watched, state } = entry;
    const standing = afterLook(state.standing, record.status, state.spec, record.at - watched.job.started_at);
    entry.state = { ...state, standing, last: record };
    this.#next(entry, due);
    this.#events.looked(watched.job.job_id, state, entry.state);
    this.#becomeReady(watched.job.job_id);
  }

  /** A whole interval after it was due, so that what is slow does not drift into what others look at. */
  #next(entry: Entry, due: number): void {
    const { role, interval } = entry.state.spec;
    const job = this.#jobs.get(entry.watched.job.job_id);
    const { health } = entry.state.standing;
    if (role === 'startup' && health === 'healthy') return;
    const eager = job?.ready === false && health !== 'healthy';
    const pause = eager ? Math.min(interval, EAGER) : interval;
    const late = this.#ports.clock.mono() - due;
    this.#schedule(entry, Math.max(0, pause - (late % pause)));
  }

  #becomeReady(job_id: string): void {
    const job = this.#jobs.get(job_id);
    if (job === undefined || job.ready) return;
    const gating = job.checks.filter(({ state }) => state.spec.role !== 'liveness');
    if (!gating.every(({ state }) => state.standing.health === 'healthy')) return;
    job.ready = true;
    for (const entry of job.checks) {
      const { role, interval } = entry.state.spec;
      if (role === 'liveness') this.#schedule(entry, this.#spread.next() * interval);
    }
    this.#events.ready(job_id);
  }

  /** Looks once. What is made for a look is made for each of them: it is kept to little. */
  async #record(entry: Entry): Promise<LookRecord> {
    const { clock } = this.#ports;
    const { spec } = entry.state;
    const at = clock.wall();
    const begun = clock.mono();
    const duration = (): number => Math.round((clock.mono() - begun) * 10) / 10;
    const interrupt = new Interrupt();
    entry.interrupt = interrupt;
    try {
      const check = this.#ports.check(spec.type);
      if (check === null) throw new Error(`there is no health check '${spec.type}' now`);
      const look = new OneLook(entry.watched, interrupt);
      const found = await this.#within(spec.timeout, interrupt, check.look(spec.options, look));
      const { status, message, data = {} } = found;
      return { status, message, data, at, duration: duration() };
    } catch (error) {
      return { status: 'unknown', message: messageOf(error), data: {}, at, duration: duration() };
    } finally {
      entry.interrupt = null;
      // Whatever it still waits for is let go.
      interrupt.abort(OVER);
    }
  }

  /** At its deadline a look is told to end; one that does not even do that is not waited for. */
  #within<T>(timeout: number, interrupt: Interrupt, work: Promise<T>): Promise<T> {
    const { clock } = this.#ports;
    return new Promise((resolve, reject) => {
      let cancel = clock.timer(timeout, () => {
        const lateness = new Error(`the check has not answered within ${timeout / 1000} s`);
        cancel = clock.timer(GRACE, () => reject(lateness));
        interrupt.abort(lateness);
      });
      work.then(
        (result) => {
          cancel();
          resolve(result);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }

  /** False where the job was dropped, or is watched anew, meanwhile. */
  #isCurrent(entry: Entry): boolean {
    return this.#jobs.get(entry.watched.job.job_id)?.checks[entry.index] === entry;
  }
}

function keyOf({ watched, index }: Entry): string {
  return `health:${watched.job.job_id}:${index}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
