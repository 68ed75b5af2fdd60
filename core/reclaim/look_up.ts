/**
 * Asking the probes who holds claims: the first that is there and sees everything, else the one that saw the most; or
 * two of them, so that one that is wrong is noticed.
 */
import type { Host } from '../host/host.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Probe, ProbeAnswer, ProbeQuery } from '../plugin/probe.ts';
import { AskedProbe, type NamedAnswer, type ProbeStats } from './asked_probe.ts';
import { type Claim, claimKey } from './claim.ts';
import { disagreementReason, disagreements, mergeHolders } from './quorum.ts';

/** An answer, and whose it is. `probe` null: none was there, or none answered; then `complete` is false. */
export interface HolderAnswer extends ProbeAnswer {
  readonly probe: string | null;
}

/** Which probes are asked. */
export interface ProbePolicy {
  /** By name; the others are not asked at all. */
  readonly order: readonly string[];
  /** How many complete answers are wanted. */
  readonly quorum: 1 | 2;
}

/** Who can be asked for the holders of claims. */
export interface HolderLookUp {
  /** Never rejects; unknown is never free. */
  lookUp(
    claims: readonly Claim[],
    options: Pick<ProbeQuery, 'suspects' | 'exhaustive'>,
  ): Promise<HolderAnswer>;
}

/**
 * The probes that there are, and how they are asked.
 *
 * @example
 * ```ts
 * const probes = new ProbeHost(host, builtInPlugins.probes, (why) => note(why));
 * const { holders, complete } = await probes.lookUp([claim], { suspects: [], exhaustive: true });
 * ```
 */
export class ProbeHost implements HolderLookUp {
  readonly #host: Host;
  readonly #report: (why: Reason) => void;
  #all: readonly AskedProbe[] = [];
  /** Null while nobody has said: all of them, as they come. */
  #order: ProbePolicy['order'] | null = null;
  #quorum: ProbePolicy['quorum'] = 1;
  /** What was told of each claim that two probes disagree about. */
  readonly #told = new Map<string, string>();
  #isShort = false;

  /**
   * @param probes in order of preference; {@link offer} replaces them.
   * @param report is told of probes that keep failing, and of those that disagree, once each until it changes.
   */
  constructor(host: Host, probes: readonly Probe[], report: (why: Reason) => void) {
    this.#host = host;
    this.#report = report;
    this.offer(probes);
  }

  /** The probes that there are from now on, in order of preference. What is known of one that stays is kept. */
  offer(probes: readonly Probe[]): void {
    const known = this.#all;
    this.#all = probes.map(
      (probe) =>
        known.find((asked) => asked.probe === probe) ?? new AskedProbe(probe, this.#host, this.#report),
    );
  }

  /** Takes over what the service file says, from the next look on. */
  configure({ order, quorum }: ProbePolicy): void {
    this.#order = order;
    this.#quorum = quorum;
  }

  get #asked(): readonly AskedProbe[] {
    return this.#order?.flatMap((name) => this.#all.find((probe) => probe.name === name) ?? []) ?? this.#all;
  }

  /** How each has been doing, those too that are not asked. */
  stats(): readonly ProbeStats[] {
    return this.#all.map((probe) => probe.stats());
  }

  async lookUp(
    claims: readonly Claim[],
    options: Pick<ProbeQuery, 'suspects' | 'exhaustive'>,
  ): Promise<HolderAnswer> {
    if (claims.length === 0) return { holders: [], complete: true, probe: null };
    const query = { claims, ...options };
    const { complete, partial } = await this.#gather(query);
    const [first, second] = complete;
    if (first === undefined) return mostNamed(partial);
    if (this.#quorum === 1) return first;
    if (second === undefined) return this.#tooFew(first, partial);
    this.#isShort = false;
    return await this.#compare(query, first, second);
  }

  /** Asks as many at a time as there are answers to be had. */
  async #gather(query: ProbeQuery): Promise<{ complete: NamedAnswer[]; partial: NamedAnswer[] }> {
    const left = [...this.#asked];
    const complete: NamedAnswer[] = [];
    const partial: NamedAnswer[] = [];
    while (complete.length < this.#quorum && left.length > 0) {
      const asked = left.splice(0, this.#quorum - complete.length);
      for (const answer of await Promise.all(asked.map((probe) => probe.ask(query)))) {
        if (answer !== null) (answer.complete ? complete : partial).push(answer);
      }
    }
    return { complete, partial };
  }

  /** One that saw everything is not enough to call a claim free where two were wanted. */
  #tooFew(only: NamedAnswer, partial: readonly NamedAnswer[]): HolderAnswer {
    if (!this.#isShort) {
      const message = `only the probe ${only.probe} saw everything and the quorum is 2: what nobody is seen to hold counts as unknown`;
      this.#report(reason('PROBE_UNAVAILABLE', message, { probe: only.probe, quorum: 2 }));
    }
    this.#isShort = true;
    return { holders: mergeHolders([only, ...partial]), complete: false, probe: only.probe };
  }

  async #compare(query: ProbeQuery, one: NamedAnswer, other: NamedAnswer): Promise<HolderAnswer> {
    let pair = [one, other] as const;
    let differing = disagreements(query, ...pair);
    if (differing.length > 0) {
      // The world moves on while they look, and not both look at the same instant: what counts is what they still
      // disagree about at a second look.
      const again = await this.#again(query, pair);
      if (again === null) return { holders: mergeHolders(pair), complete: true, probe: namesOf(pair) };
      pair = again;
      differing = disagreements(query, ...pair);
    }
    const names = namesOf(pair);
    const reasons = new Map(
      differing.map((each) => [claimKey(each.claim), disagreementReason(each)] as const),
    );
    for (const claim of query.claims) this.#tell(`${claimKey(claim)} ${names}`, reasons.get(claimKey(claim)));
    return { holders: mergeHolders(pair), complete: true, probe: names };
  }

  /** The same two once more; null where not both see everything now. */
  async #again(
    query: ProbeQuery,
    pair: readonly [NamedAnswer, NamedAnswer],
  ): Promise<readonly [NamedAnswer, NamedAnswer] | null> {
    const asked = pair.flatMap(({ probe }) => this.#all.find(({ name }) => name === probe) ?? []);
    const [one, other] = await Promise.all(asked.map((probe) => probe.ask(query)));
    return one?.complete && other?.complete ? [one, other] : null;
  }

  /** Reports a disagreement if it is new or has changed, and forgets one that is settled. */
  #tell(key: string, why: Reason | undefined): void {
    if (why === undefined) {
      this.#told.delete(key);
      return;
    }
    if (this.#told.get(key) === why.message) return;
    this.#told.set(key, why.message);
    this.#report(why);
  }
}

function namesOf(answers: readonly NamedAnswer[]): string {
  return answers.map(({ probe }) => probe).join(' and ');
}

function mostNamed(answers: readonly NamedAnswer[]): HolderAnswer {
  let best: HolderAnswer = { holders: [], complete: false, probe: null };
  for (const answer of answers) if (best.probe === null || named(answer) > named(best)) best = answer;
  return best;
}

function named({ holders }: ProbeAnswer): number {
  return holders.filter((holder) => holder.process !== null).length;
}
