/**
 * Commands that are sent twice and carried out once.
 *
 * What is known of keys is in memory only, so it ends with upkeep: a command whose answer was lost because upkeep died is
 * carried out again when it is sent again. A key in the store would not change that: a death between the deed and its
 * record leaves the same question open.
 *
 * An answer that is secret must not be given again, and so not be kept: its operation takes no key. `token.create` can be
 * sent again without one, as a second token of the same name is refused.
 */
import { createHash } from 'node:crypto';
import { RequestProblem } from './problem.ts';

/** How long a key is kept, ms. */
export const IDEMPOTENCY_TIME = 24 * 3_600_000;

/** How many keys are kept: the newest. */
export const IDEMPOTENCY_KEYS = 1000;

/** How many characters all recorded answers have at most; the oldest go first. */
export const IDEMPOTENCY_ROOM = 1_048_576;

/** The answer to a command. */
export interface RecordedAnswer {
  readonly status: number;
  readonly body: string;
}

interface Entry {
  readonly fingerprint: string;
  readonly since: number;
  /** Null while the command is under way. */
  answer: RecordedAnswer | null;
}

/** The keys of the commands that were carried out, and their answers. */
export class IdempotencyKeys {
  /** In the order of their coming, which is that of their expiry. */
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  #room = 0;

  /** @param now ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many keys are known. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Carries a command out, or gives the answer that it had before. What fails is not kept: the key may try again.
   *
   * @param caller whose key it is: two callers may use the same.
   * @param command what is to be done, whole.
   * @throws {@link RequestProblem} where the key is none, belongs to another command, or to one that is under way.
   */
  async run(
    caller: string,
    key: string,
    command: unknown,
    carryOut: () => Promise<RecordedAnswer>,
  ): Promise<{ readonly answer: RecordedAnswer; readonly replayed: boolean }> {
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new RequestProblem('invalid_input', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
    }
    const id = `${caller} ${key}`;
    const fingerprint = createHash('sha256').update(JSON.stringify(command)).digest('base64url');
    this.#forget();
    const before = this.#entries.get(id);
    if (before !== undefined) return { answer: recall(before, fingerprint), replayed: true };

    const entry: Entry = { fingerprint, since: this.#now(), answer: null };
    this.#entries.set(id, entry);
    try {
      const answer = await carryOut();
      entry.answer = answer;
      this.#room += answer.body.length;
      return { answer, replayed: false };
    } finally {
      if (entry.answer === null) this.#entries.delete(id);
      this.#forget();
    }
  }

  /** Drops what is too old and what is too much. Commands under way stay: they are bounded by what may be under way. */
  #forget(): void {
    const oldest = this.#now() - IDEMPOTENCY_TIME;
    for (const [id, { answer, since }] of this.#entries) {
      const tooMuch = this.#entries.size > IDEMPOTENCY_KEYS || this.#room > IDEMPOTENCY_ROOM;
      if (!tooMuch && since >= oldest) return;
      if (answer === null) continue;
      this.#entries.delete(id);
      this.#room -= answer.body.length;
    }
  }
}

function recall({ fingerprint, answer }: Entry, asked: string): RecordedAnswer {
  if (fingerprint !== asked) {
    throw new RequestProblem('idempotency_mismatch', 'this Idempotency-Key was used for another command');
  }
  if (answer === null) {
    throw new RequestProblem(
      'idempotency_in_flight',
      'the command with this Idempotency-Key is still under way',
    );
  }
  return answer;
}
