/**
 * Tokens: who may come in over TCP, and how far. What counts is what is in memory, so that a store that fails locks
 * nobody out; the store is told of each change, and told everything again once it works.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Agenda } from '../host/agenda.ts';
import type { Clock } from '../host/host.ts';
import { OperationError } from '../operation/error.ts';
import { nearest } from '../spec/nearest.ts';
import type { Store } from '../store/store.ts';
import { readTokens, type TokenRow, writeTokens } from '../store/token_rows.ts';
import type { Scope } from './scope.ts';
import { hashOf, newSecret } from './secret.ts';

/** Whether a token still opens anything. */
export const TOKEN_STATES = ['live', 'expired', 'revoked'] as const;

/** A token in an answer: everything but the token. Times are ms since the epoch. */
export interface TokenView extends Omit<TokenRow, 'hash'> {
  readonly state: (typeof TOKEN_STATES)[number];
}

/** What a new token is to be. */
export interface TokenRequest {
  readonly name: string;
  readonly scope: Scope;
  /** Ms from now; without it the token does not end by itself. */
  readonly expires_in?: number;
}

/** What became of looking at a token that somebody presented. */
export type Verdict =
  | { readonly token: Pick<TokenRow, 'name' | 'scope'> }
  | { readonly fault: 'unknown' | 'expired' | 'revoked' };

/** What tokens are connected to. */
export interface TokensPorts {
  readonly store: Pick<Store, 'ask' | 'tell'>;
  readonly clock: Pick<Clock, 'wall' | 'mono'>;
  readonly agenda: Pick<Agenda, 'set' | 'delete'>;
}

/** The name of the token in the state folder. */
export const INITIAL_TOKEN = 'initial';

/** How many tokens there can be: each request is compared with all of them. */
export const MAX_TOKENS = 256;

/** For how long a token that opens nothing any more is still listed, ms. */
const KEPT = 90 * 24 * 3_600_000;

/** How often it is written down, at most, when tokens were last used, ms. */
const USE_INTERVAL = 60_000;

/** For how long an expiry is slept through at most, ms: it is a matter of wall time, which may be set. */
const LONGEST_SLEEP = 3_600_000;

const NOBODY: readonly TokenRow[] = [];

/** All tokens of a state folder. */
export class Tokens {
  readonly #ports: TokensPorts;
  readonly #rows = new Map<string, TokenRow>();
  /** Called when the token of that name opens nothing any more. */
  readonly #watchers = new Map<string, Set<() => void>>();
  /** What the store holds has been taken over: until then it must not be written over. */
  #loaded = false;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #unwritten = false;

  constructor(ports: TokensPorts) {
    this.#ports = ports;
    this.#load();
  }

  /** By name. */
  list(): TokenView[] {
    return [...this.#rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((row) => this.#view(row));
  }

  /**
   * Makes a token. Its secret is told here and never again.
   *
   * @throws {@link OperationError} `conflict` where a live token has the name, or where there are too many.
   */
  create({ name, scope, expires_in }: TokenRequest): { token: TokenView; secret: string } {
    const earlier = this.#rows.get(name);
    if (earlier !== undefined && this.#stateOf(earlier) === 'live') {
      throw new OperationError('conflict', `there is a token '${name}' already; revoke it first`);
    }
    this.#forgetOld();
    if (earlier === undefined && this.#rows.size >= MAX_TOKENS) {
      throw new OperationError('conflict', `there are ${MAX_TOKENS} tokens already, which is the most`);
    }
    const secret = newSecret();
    const now = this.#ports.clock.wall();
    const row = this.#put(name, scope, secret, expires_in === undefined ? null : now + expires_in);
    return { token: this.#view(row), secret };
  }

  /**
   * Lets the token in the state folder in, with every scope. It takes the place of one that was there before.
   *
   * @returns false where it was revoked: then another one has to be made.
   */
  adopt(secret: string): boolean {
    const hash = hashOf(secret);
    const known = [...this.#rows.values()].find((row) => row.hash === hash);
    if (known !== undefined) return this.#stateOf(known) === 'live';
    this.#put(INITIAL_TOKEN, 'admin', secret, null);
    return true;
  }

  /**
   * Takes a token back; what it has open is ended at once. Doing so again changes nothing.
   *
   * @throws {@link OperationError} `not_found`
   */
  revoke(name: string): TokenView {
    const row = this.#rows.get(name);
    if (row === undefined) {
      const suggestion = nearest(name, [...this.#rows.keys()]);
      const also = suggestion === null ? '' : `; did you mean '${suggestion}'?`;
      throw new OperationError(
        'not_found',
        `no token '${name}'${also}`,
        suggestion === null ? {} : { suggestion },
      );
    }
    if (row.revoked_at !== null) return this.#view(row);
    const revoked = { ...row, revoked_at: this.#ports.clock.wall() };
    this.#rows.set(name, revoked);
    this.#write();
    this.#end(name);
    return this.#view(revoked);
  }

  /** Looks at a token that somebody presents, in a time that does not tell how near it comes to a real one. */
  verify(secret: string): Verdict {
    const digest = Buffer.from(hashOf(secret), 'hex');
    let found: TokenRow | null = null;
    for (const row of this.#rows.values()) {
      // All of them, always.
      const hash = Buffer.from(row.hash, 'hex');
      if (hash.length === digest.length && timingSafeEqual(hash, digest)) found = row;
    }
    if (found === null) return { fault: 'unknown' };
    const state = this.#stateOf(found);
    if (state !== 'live') return { fault: state };
    this.#used(found);
    return { token: { name: found.name, scope: found.scope } };
  }

  /**
   * Calls back once the token of that name opens nothing any more: what it has open ends then.
   *
   * @returns what ends the watch.
   */
  onEnd(name: string, callback: () => void): () => void {
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(callback));
    this.#watchExpiry();
    return () => {
      watchers.delete(callback);
      if (watchers.size === 0 && this.#watchers.get(name) === watchers) this.#watchers.delete(name);
    };
  }

  /** The store works again: it is told everything. */
  mended(): void {
    if (!this.#loaded) this.#load();
    this.#write();
  }

  /** Writes down what is not written yet: when tokens were last used. */
  close(): void {
    this.#ports.agenda.delete('tokens');
    if (this.#unwritten) this.#write();
  }

  #load(): void {
    const rows = this.#ports.store.ask(readTokens, NOBODY);
    if (rows === NOBODY) return;
    this.#loaded = true;
    // What was made meanwhile is newer.
    for (const row of rows) if (!this.#rows.has(row.name)) this.#rows.set(row.name, row);
  }

  #put(name: string, scope: Scope, secret: string, expires_at: number | null): TokenRow {
    const row: TokenRow = {
      name,
      hash: hashOf(secret),
      scope,
      created_at: this.#ports.clock.wall(),
      expires_at,
      last_used_at: null,
      revoked_at: null,
    };
    const replaced = this.#rows.has(name);
    this.#rows.set(name, row);
    this.#write();
    if (replaced) this.#end(name);
    return row;
  }

  #used(row: TokenRow): void {
    const { clock } = this.#ports;
    this.#rows.set(row.name, { ...row, last_used_at: clock.wall() });
    this.#unwritten = true;
    if (clock.mono() - this.#writtenAt >= USE_INTERVAL) this.#write();
  }

  #write(): void {
    this.#writtenAt = this.#ports.clock.mono();
    this.#unwritten =
      !this.#loaded || !this.#ports.store.tell((database) => writeTokens(database, [...this.#rows.values()]));
  }

  #stateOf({ revoked_at, expires_at }: TokenRow): TokenView['state'] {
    if (revoked_at !== null) return 'revoked';
    return expires_at !== null && expires_at <= this.#ports.clock.wall() ? 'expired' : 'live';
  }

  #view(row: TokenRow): TokenView {
    const { hash: _, ...rest } = row;
    return { ...rest, state: this.#stateOf(row) };
  }

  #forgetOld(): void {
    const horizon = this.#ports.clock.wall() - KEPT;
    for (const row of this.#rows.values()) {
      const ended = row.revoked_at ?? row.expires_at;
      if (ended !== null && ended < horizon) this.#rows.delete(row.name);
    }
  }

  #end(name: string): void {
    const watchers = this.#watchers.get(name);
    this.#watchers.delete(name);
    for (const callback of watchers ?? []) callback();
  }

  /** Ends what tokens have open that have expired by now, and looks again when the next one does. */
  #watchExpiry(): void {
    const { clock, agenda } = this.#ports;
    let next = Number.POSITIVE_INFINITY;
    for (const name of [...this.#watchers.keys()]) {
      const row = this.#rows.get(name);
      if (row === undefined || this.#stateOf(row) !== 'live') this.#end(name);
      else next = Math.min(next, row.expires_at ?? next);
    }
    if (!Number.isFinite(next)) return;
    const pause = Math.min(Math.max(1, next - clock.wall()), LONGEST_SLEEP);
    agenda.set('tokens', clock.mono() + pause, () => this.#watchExpiry());
  }
}
