/**
 * Watches claims: until a starting job holds all of its own, and that a running one does not lose any.
 *
 * Every look serves all jobs that are due, with one pass of the probe. A claim once found is proved again by one
 * look at the descriptor that held it; only where that fails is the probe asked.
 *
 * A pass costs what there is on the host, not what is asked about: the tables of sockets are read from their begin. So
 * it is the looks that rest, however many jobs wait, and jobs that come in meanwhile share the next one.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Host } from '../host/host.ts';
import { inSlices } from '../host/slices.ts';
import type { Reason } from '../job/reason.ts';
import { type Claim, claimKey, type Holder } from '../reclaim/claim.ts';
import { holdsAsBefore, stillHolds } from '../reclaim/still_holds.ts';
import { claimLost, heldUnseen, type JudgedClaim, notReady, unseen } from './claim_words.ts';
import { disproves, judgeClaim, satisfies } from './judge.ts';

/** A job whose claims are watched. */
export interface Watched {
  readonly job_id: string;
  readonly epoch: number;
  readonly claims: readonly Claim[];
  readonly mode: 'own' | 'open';
  /** The pid of the main process, which is looked into first. */
  readonly main: number;
  /** Whether a process is of the job's own tree. */
  readonly isOwn: (pid: number) => boolean;
  /** Monotonic ms by which it must be ready; null once it is. */
  readonly deadline: number | null;
}

/** What the watch tells. */
export interface ClaimWatchEvents {
  ready(watched: Watched, note: Reason | null): void;
  /** It is not ready in time, or has lost a claim. */
  fault(watched: Watched, why: Reason): void;
  /** Calls `tell`, which tells all that one look has shown. */
  together(tell: () => void): void;
}

/**
 * What is asked of the probes: all claims in one pass. Unless it is exhaustive, the first holder of each socket will do,
 * suspects first.
 */
export type LookUp = (
  claims: readonly Claim[],
  suspects: readonly number[],
  exhaustive: boolean,
) => Promise<{ readonly holders: readonly Holder[]; readonly complete: boolean }>;

interface Entry {
  readonly watched: Watched;
  at: number;
  pause: number;
  /** A quick look missed a claim of a running job: from now on every holder is asked for. */
  doubted: boolean;
  /** So many exhaustive, complete looks in a row have missed a claim. */
  misses: number;
  /** Who was last seen to hold each claim. */
  known: Holder[];
}

/** Pauses between looks at a starting job, in ms: the first, and what they grow to. */
const FIRST_PAUSE = 3;
const LONGEST_PAUSE = 250;
/** Between looks at a running job, in ms. */
const KEEP_INTERVAL = 5_000;
/** After a claim was missed, in ms. */
const MISS_INTERVAL = 400;
/** So many exhaustive, complete looks in a row must miss a claim before it counts as lost. */
const MISSES = 3;
/** The last look at a starting job is so long before its deadline, in ms. */
const LAST_LOOK = 20;
/** A look takes running jobs along whose own would come within so many ms: one pass for a thousand, not a thousand. */
const TOGETHER = 1_000;
/** After the probe was asked about few jobs it rests for so many times as long as it took: they are ready at once. */
const REST_OF_FEW = 3;
/** The same after many: what keeps a mass of jobs from being ready is that others have yet to be started. */
const REST_OF_MANY = 15;
const FEW = 4;
/** However slow the probe is, it rests no longer than this, in ms. */
const LONGEST_REST = 1_000;

/** Watches the claims of any number of jobs. */
export class ClaimWatch {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #lookUp: LookUp;
  readonly #events: ClaimWatchEvents;
  readonly #entries = new Map<string, Entry>();
  #looking = false;
  /** When the next look is to come, monotonic ms; infinite while none is. */
  #next = Number.POSITIVE_INFINITY;
  /** No look before this, monotonic ms. */
  #restsUntil = 0;

  constructor(host: Host, agenda: Agenda, lookUp: LookUp, events: ClaimWatchEvents) {
    this.#host = host;
    this.#agenda = agenda;
    this.#lookUp = lookUp;
    this.#events = events;
  }

  /** Begins to watch; replaces an earlier watch of the job. Who held a claim is kept from that one. */
  watch(watched: Watched): void {
    const pause = watched.deadline === null ? KEEP_INTERVAL : FIRST_PAUSE;
    const known = this.#entries.get(watched.job_id)?.known ?? [];
    const at = this.#host.clock.mono() + pause;
    this.#entries.set(watched.job_id, { watched, at, pause, doubted: false, misses: 0, known });
    this.#lookBy(this.#timeOf(at, watched));
  }

  /** Ends the watch of a job. */
  drop(job_id: string): void {
    this.#entries.delete(job_id);
  }

  /** When a job is looked at that wants it at `at`: a rest holds up everything but the last look before a deadline. */
  #timeOf(at: number, { deadline }: Watched): number {
    const last = deadline === null ? Number.POSITIVE_INFINITY : deadline - LAST_LOOK;
    return Math.max(at, Math.min(this.#restsUntil, last));
  }

  #lookBy(at: number): void {
    if (this.#looking || at >= this.#next) return;
    this.#next = at;
    this.#agenda.set('claims', at, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const { clock } = this.#host;
    const due = [...this.#entries.values()].filter((entry) => isDue(entry, clock.mono()));
    const unproved: Entry[] = [];
    await inSlices(clock, due, (entry) => {
      if (!this.#provenAgain(entry)) unproved.push(entry);
    });
    if (unproved.length > 0) await this.#ask(unproved);
    this.#looking = false;
    this.#next = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const { at, watched } of this.#entries.values()) next = Math.min(next, this.#timeOf(at, watched));
    this.#lookBy(next);
  }

  async #ask(entries: readonly Entry[]): Promise<void> {
    const { clock } = this.#host;
    const begun = clock.mono();
    const claims = entries.flatMap((entry) => entry.watched.claims);
    const suspects = entries.flatMap((entry) => [
      entry.watched.main,
      ...entry.known.flatMap((holder) => (holder.process === null ? [] : [holder.process.pid])),
    ]);
    const exhaustive = entries.some((entry) => entry.doubted);
    const blind = { holders: [], complete: false };
    const { holders, complete } = await this.#lookUp(claims, suspects, exhaustive).catch(() => blind);
    const now = clock.mono();
    const rest = (now - begun) * (entries.length > FEW ? REST_OF_MANY : REST_OF_FEW);
    this.#restsUntil = now + Math.min(rest, LONGEST_REST);
    const look = { byClaim: groupByClaim(holders), complete, exhaustive };
    this.#events.together(() => {
      for (const entry of entries) {
        entry.at = now + entry.pause;
        this.#judge(entry, look);
      }
    });
  }

  /** True where every claim of a running job is still held through the descriptor that held it last time. */
  #provenAgain(entry: Entry): boolean {
    if (entry.watched.deadline !== null || entry.doubted) return false;
    const proved = entry.watched.claims.every((claim) => {
      const key = claimKey(claim);
      return (
        this.#isThere(claim) &&
        entry.known.some((holder) => claimKey(holder.claim) === key && this.#stillHolds(entry, holder))
      );
    });
    if (proved) entry.at = this.#host.clock.mono() + KEEP_INTERVAL;
    return proved;
  }

  /** Of the main process's end upkeep hears in any case, and looks no more then. */
  #stillHolds({ watched }: Entry, holder: Holder): boolean {
    const isMain = holder.process !== null && watched.main === holder.process.pid;
    return isMain ? holdsAsBefore(holder, this.#host) : stillHolds(holder, this.#host);
  }

  /** A socket that nobody can reach by its path is lost, even while its process keeps it open. */
  #isThere(claim: Claim): boolean {
    if (claim.kind !== 'socket' || claim.path.startsWith('@')) return true;
    return this.#host.files.lstatSync(claim.path, { throwIfNoEntry: false })?.isSocket() ?? false;
  }

  #judge(entry: Entry, { byClaim, complete, exhaustive }: Look): void {
    const { watched } = entry;
    // Dropped or replaced while the probe looked.
    if (this.#entries.get(watched.job_id) !== entry) return;
    const verdicts = watched.claims.map((claim): JudgedClaim => {
      if (!this.#isThere(claim)) return [claim, 'free'];
      const holders = byClaim.get(claimKey(claim)) ?? [];
      return [claim, judgeClaim(claim, { holders, complete }, watched.isOwn)];
    });
    entry.known = watched.claims.flatMap((claim) => {
      const holders = byClaim.get(claimKey(claim)) ?? [];
      return holders
        .filter((holder) => holder.process !== null && watched.isOwn(holder.process.pid))
        .slice(0, 1);
    });
    if (watched.deadline === null) this.#judgeRunning(entry, verdicts, exhaustive);
    else this.#judgeStarting(entry, verdicts, watched.deadline);
  }

  #judgeStarting(entry: Entry, verdicts: readonly JudgedClaim[], deadline: number): void {
    const { watched } = entry;
    const now = this.#host.clock.mono();
    const missing = verdicts.filter(([, verdict]) => !satisfies(verdict, watched.mode));
    if (missing.length === 0) {
      const inferred = verdicts.filter(([, verdict]) => verdict === 'inferred').map(([claim]) => claim);
      const note = inferred.length === 0 ? null : heldUnseen(inferred);
      this.#events.ready(watched, note);
      return;
    }
    const lastLook = now >= deadline - LAST_LOOK - 1;
    if (lastLook && missing.some(([, verdict]) => verdict !== 'unknown')) {
      this.#entries.delete(watched.job_id);
      this.#events.fault(watched, notReady(missing));
      return;
    }
    if (lastLook && missing.every(([, verdict]) => verdict === 'unknown')) {
      // Unknown is never NOT_READY: a blind probe must not kill a service that may be well.
      this.#events.ready(watched, unseen(missing.map(([claim]) => claim)));
      return;
    }
    entry.pause = Math.min(entry.pause * 1.5, LONGEST_PAUSE);
    const next = now + entry.pause;
    entry.at = now < deadline - LAST_LOOK ? Math.min(next, deadline - LAST_LOOK) : next;
  }

  #judgeRunning(entry: Entry, verdicts: readonly JudgedClaim[], exhaustive: boolean): void {
    const { watched } = entry;
    const now = this.#host.clock.mono();
    const lost = verdicts.filter(([, verdict]) => disproves(verdict, watched.mode));
    if (lost.length === 0) {
      entry.doubted = false;
      entry.misses = 0;
      entry.at = now + KEEP_INTERVAL;
      return;
    }
    if (!exhaustive) {
      // The first holder of a socket was another's; ours may have it open as well.
      entry.doubted = true;
      entry.at = now;
      return;
    }
    entry.misses += 1;
    if (entry.misses < MISSES) {
      entry.at = now + MISS_INTERVAL;
      return;
    }
    this.#entries.delete(watched.job_id);
    this.#events.fault(watched, claimLost(lost));
  }
}

/** The looks of one that may have lost a claim keep their distance, as three of them count. */
function isDue({ at, watched, doubted }: Entry, now: number): boolean {
  return at <= now + (watched.deadline === null && !doubted ? TOGETHER : 1);
}

/** What one look at the claims of several jobs saw. */
interface Look {
  readonly byClaim: ReadonlyMap<string, readonly Holder[]>;
  readonly complete: boolean;
  readonly exhaustive: boolean;
}

function groupByClaim(holders: readonly Holder[]): ReadonlyMap<string, readonly Holder[]> {
  const groups = new Map<string, Holder[]>();
  for (const holder of holders) {
    const key = claimKey(holder.claim);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [holder]);
    else group.push(holder);
  }
  return groups;
}
