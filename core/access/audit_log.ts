/**
 * The audit: every command, who gave it by what right, and what came of it.
 */
import type { Clock } from '../host/host.ts';
import {
  type AuditQuery,
  type AuditRecord,
  lastAudit,
  type Outcome,
  readAudit,
  writeAudit,
} from '../store/audit_rows.ts';
import type { Store } from '../store/store.ts';

/** What is known of a command before it is carried out. */
export type Attempt = Pick<AuditRecord, 'operation' | 'target' | 'actor' | 'principal'>;

/** What the audit is connected to. */
export interface AuditPorts {
  readonly store: Pick<Store, 'ask' | 'tell'>;
  readonly clock: Pick<Clock, 'wall' | 'mono'>;
}

/** How many records wait in memory for a store that fails; beyond that the oldest are given up. */
const MAX_WAITING = 1000;

/**
 * Writes records down, each when the outcome of its command is known. No command waits for it, or fails for it: what
 * cannot be written is kept for a while.
 */
export class AuditLog {
  readonly #ports: AuditPorts;
  #waiting: AuditRecord[] = [];
  #seq: number;

  constructor(ports: AuditPorts) {
    this.#ports = ports;
    // Where the numbers cannot be read, time is above them all, as there is far less than one command a ms.
    this.#seq = ports.store.ask<number | null>(lastAudit, null) ?? Math.floor(ports.clock.wall());
  }

  /**
   * A command has come.
   *
   * @returns what is to be told its outcome, with the code of its error. It never throws.
   */
  begin(attempt: Attempt): (outcome: Outcome, code: string | null) => void {
    const { clock } = this.#ports;
    const time = clock.wall();
    const begun = clock.mono();
    return (outcome, code) => {
      const duration = Math.round((clock.mono() - begun) * 1000) / 1000;
      this.#seq += 1;
      this.#waiting.push({ seq: this.#seq, time, ...attempt, outcome, code, duration });
      if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
      this.#write();
    };
  }

  /** In rising order: the newest, or those that follow `after`. */
  list(query: AuditQuery): AuditRecord[] {
    const stored = this.#ports.store.ask((database) => readAudit(database, query), []);
    if (this.#waiting.length === 0) return stored;
    const { after = 0, limit = Number.POSITIVE_INFINITY } = query;
    const known = new Map([...stored, ...this.#waiting].map((record) => [record.seq, record]));
    const all = [...known.values()].filter(({ seq }) => seq > after).sort((a, b) => a.seq - b.seq);
    if (all.length <= limit) return all;
    return query.after === undefined ? all.slice(all.length - limit) : all.slice(0, limit);
  }

  /** The store works again: it is told what has waited. */
  mended(): void {
    this.#write();
  }

  #write(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    if (this.#ports.store.tell((database) => writeAudit(database, waiting))) this.#waiting = [];
  }
}
