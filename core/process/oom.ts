/**
 * Recognises a death by the kernel's out-of-memory killer, where the kernel says so.
 *
 * The kernel names its victim by pid, which is often not the process that upkeep started but a child of the shell above
 * it, whose pid nobody has by then. What can be known afterwards: who was killed while the incarnation lived, in which
 * cgroup, and whom a look at its tree had seen. Where the kernel's log is not ours to read only a counter is left.
 */
import type { Host } from '../host/host.ts';
import { KernelLog, type Kill, lastPid } from './kernel_log.ts';
import { killCount, killCounter, memoryCgroup } from './memory_cgroup.ts';

/** How sure it is. `certain`: the kernel named a process that is known to be of the incarnation. */
export interface OomVerdict {
  readonly confidence: 'certain' | 'inferred';
  /** Whom the kernel killed; null where only a counter rose. */
  readonly victim: { readonly pid: number; readonly name: string } | null;
}

/** Who was seen to die of SIGKILL: the main process itself, or somebody below it, as code 137 says of a shell's child. */
export type Victim = 'main' | 'below';

/** Where a process is accounted for. */
interface Place {
  readonly uid: number | null;
  readonly cgroup: string | null;
  /** A counter that only grows; null where there is none, or the kernel's log tells more. */
  readonly counter: string | null;
}

/** What is kept of a live incarnation. */
interface Subject {
  readonly pid: number;
  /** Kills before this number happened before it began. */
  readonly since: number;
  place: Place;
  /** What its counter said when it began. */
  count: number;
  /** What the last look at its tree saw. */
  tree: ReadonlySet<number>;
  /** The pid that was handed out last before that look, or its own: a look cannot have seen who has a later one. */
  seen_up_to: number;
}

/** So many kills are kept, the newest. */
const MAX_KILLS = 200;

/** Watches incarnations from their beginning on, one a job, and judges their ends. */
export class OomWitness {
  readonly #host: Pick<Host, 'files' | 'processes'>;
  readonly #log: KernelLog;
  /** upkeep's own place, which everything that it starts inherits. */
  readonly #own: Place;
  readonly #subjects = new Map<string, Subject>();
  /** Kills that have not explained a death yet. */
  #kills: { readonly number: number; readonly kill: Kill }[] = [];
  #seen = 0;
  /** By counter: what it had risen to when it last explained a death. */
  readonly #explained = new Map<string, number>();

  constructor(host: Pick<Host, 'files' | 'processes'>, upkeepPid: number) {
    this.#host = host;
    this.#log = new KernelLog(host.files);
    this.#own = this.#placeOf(upkeepPid);
  }

  /**
   * An incarnation has begun, or was adopted: what the kernel killed before has nothing to do with it. Called right
   * after the spawn, so as not to hold that up.
   */
  begin(job_id: string, pid: number): void {
    const before = this.#seen;
    this.#readLog();
    // Pids are handed out upwards: what was killed since the last look and is younger than this one may be its child.
    const young = this.#kills.find(({ number, kill }) => number >= before && kill.pid >= pid);
    const since = young?.number ?? this.#seen;
    const count = this.#countAt(this.#own);
    this.#subjects.set(job_id, {
      pid,
      since,
      place: this.#own,
      count,
      tree: new Set(),
      seen_up_to: pid,
    });
  }

  /** A look at trees begins now: what {@link sawTree} is to be told with each of them. */
  looking(): number | null {
    return lastPid(this.#host.files);
  }

  /**
   * What a look at the incarnation's tree saw. By the first of them the program may have moved to a cgroup of its own.
   *
   * @param upTo what {@link looking} returned before the look.
   */
  sawTree(job_id: string, pids: Iterable<number>, upTo: number | null): void {
    const subject = this.#subjects.get(job_id);
    if (subject === undefined) return;
    const isFirst = subject.seen_up_to === subject.pid;
    subject.tree = new Set(pids);
    subject.seen_up_to = upTo ?? subject.seen_up_to;
    if (!isFirst) return;
    const place = this.#placeOf(subject.pid);
    // It has ended since.
    if (place.cgroup === null) return;
    if (place.counter !== subject.place.counter) subject.count = this.#countAt(place);
    subject.place = place;
  }

  /**
   * Whether the kernel killed the incarnation for want of memory; null: nothing says so. One kill explains one death.
   * To be asked at the end of an incarnation, once.
   */
  verdict(job_id: string, victim: Victim): OomVerdict | null {
    const subject = this.#subjects.get(job_id);
    if (subject === undefined) return null;
    this.#readLog();
    return this.#log.readable ? this.#byLog(subject, victim) : this.#byCounter(subject);
  }

  /** The incarnation has ended. */
  forget(job_id: string): void {
    this.#subjects.delete(job_id);
  }

  /** Lets go of the kernel's log. */
  close(): void {
    this.#log.close();
  }

  #placeOf(pid: number): Place {
    const { files, processes } = this.#host;
    const cgroup = memoryCgroup(pid, files);
    const counter = this.#log.readable ? null : killCounter(cgroup, files);
    return { uid: processes.uid(pid), cgroup, counter };
  }

  #countAt({ counter }: Place): number {
    return counter === null ? 0 : (killCount(counter, this.#host.files) ?? 0);
  }

  #readLog(): void {
    for (const kill of this.#log.read()) {
      this.#kills.push({ number: this.#seen, kill });
      this.#seen += 1;
    }
    this.#kills = this.#kills.slice(-MAX_KILLS);
  }

  #byLog(subject: Subject, victim: Victim): OomVerdict | null {
    const during = this.#kills.filter(({ number }) => number >= subject.since);
    const named = during.find(
      ({ kill }) => kill.pid === subject.pid || (victim === 'below' && subject.tree.has(kill.pid)),
    );
    const found =
      named ?? (victim === 'below' ? during.find(({ kill }) => this.#fits(kill, subject)) : undefined);
    if (found === undefined) return null;
    this.#kills = this.#kills.filter((kept) => kept !== found);
    const { pid, name } = found.kill;
    return { confidence: named === undefined ? 'inferred' : 'certain', victim: { pid, name } };
  }

  /**
   * Whether a process that was not seen may have been the incarnation's: killed in its cgroup; or, as a child can move to
   * another cgroup before anybody looks, started in the short time since the last look.
   */
  #fits({ pid, uid, cgroup }: Kill, subject: Subject): boolean {
    for (const other of this.#subjects.values()) {
      if (other !== subject && (other.pid === pid || other.tree.has(pid))) return false;
    }
    const { place, seen_up_to } = subject;
    if (cgroup !== null && place.cgroup !== null && isWithin(cgroup, place.cgroup)) return true;
    const mayBeItsUser = uid === null || place.uid === 0 || uid === place.uid;
    return mayBeItsUser && this.#isYounger(pid, seen_up_to);
  }

  /** Pids are handed out upwards, and from the bottom again once the top is reached. */
  #isYounger(pid: number, than: number): boolean {
    const last = lastPid(this.#host.files);
    if (last === null) return false;
    return last >= than ? than < pid && pid <= last : than < pid || pid <= last;
  }

  #byCounter({ place, count }: Subject): OomVerdict | null {
    const { counter } = place;
    if (counter === null) return null;
    const before = Math.max(count, this.#explained.get(counter) ?? 0);
    const now = killCount(counter, this.#host.files);
    if (now === null || now <= before) return null;
    this.#explained.set(counter, before + 1);
    return { confidence: 'inferred', victim: null };
  }
}

/** The hierarchy's root has everybody's below it, so that being below it says nothing. */
function isWithin(cgroup: string, outer: string): boolean {
  return cgroup === outer || cgroup.startsWith(`${outer}/`);
}
