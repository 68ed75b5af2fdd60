/**
 * Reads and searches the lines of logs for the faces: of one job page by page, of many within bounds.
 */
import type { Clock } from '../host/host.ts';
import { Lane } from '../host/lane.ts';
import { type LogJob, type Logs, parseSpot } from '../log/mod.ts';
import type { JobView } from './control.ts';
import type {
  FoundLineView,
  LineSearch,
  LinesPage,
  LinesQuery,
  LogControl,
  SearchPage,
} from './log_control.ts';
import { Unavailable } from './refusal.ts';

/** How many lines a page has where nothing else is asked for. */
const PAGE_LINES = 100;

/** What one search reads of logs at most, bytes. */
const SEARCH_BYTES = 16 * 1024 * 1024;
/** What it gives at most, bytes of lines. */
const FOUND_BYTES = 262_144;
/** How long it goes on, ms. */
const SEARCH_TIME = 2000;
/** How many may wait for their turn: searches are done one after the other, so that services come first. */
const WAITING = 8;

/** What reading is connected to. */
export interface LogLinesPorts {
  readonly clock: Clock;
  readonly logs: Logs;
  jobs(query: { service?: string }): JobView[];
  /** @throws {@link NotFound} */
  job(id: string): JobView;
  /** @throws {@link NotFound} */
  logOf(id: string): LogJob;
}

/** See the top of this file. */
export class LogLines implements LogControl {
  readonly #ports: LogLinesPorts;
  readonly #searching = new Lane(1);
  #searches = 0;

  constructor(ports: LogLinesPorts) {
    this.#ports = ports;
  }

  async read(jobId: string, query: LinesQuery): Promise<LinesPage> {
    const { logs, logOf } = this.#ports;
    const { cursor, incarnation = null, since = null, tail = null, limit = PAGE_LINES } = query;
    const from = cursor === undefined ? null : parseSpot(cursor);
    const page = await logs.lines(logOf(jobId), { from, incarnation, since, tail }, limit);
    return { items: page.lines.map((line) => ({ job_id: jobId, ...line })), next_cursor: page.next };
  }

  async search(query: LineSearch, signal: AbortSignal): Promise<SearchPage> {
    if (this.#searches > WAITING) {
      throw new Unavailable(`${this.#searches} searches are under way already: try again soon`);
    }
    this.#searches++;
    try {
      return await this.#searching.run(() => this.#search(query, signal));
    } finally {
      this.#searches--;
    }
  }

  async #search(query: LineSearch, signal: AbortSignal): Promise<SearchPage> {
    const { clock, logs, logOf } = this.#ports;
    const { incarnation = null, since = null, until = null, limit = PAGE_LINES } = query;
    const begin = query.cursor === undefined ? null : parseSearchCursor(query.cursor);
    const budget = {
      lines: limit,
      bytes: SEARCH_BYTES,
      found: FOUND_BYTES,
      until: clock.mono() + SEARCH_TIME,
    };
    const items: FoundLineView[] = [];
    const end = (next: string | null): SearchPage => ({ items, complete: next === null, next_cursor: next });
    for (const { id, service, action } of this.#jobs(query)) {
      // Ids rise with time, so that a job that is gone by now is no loss.
      if (begin !== null && id < begin.job_id) continue;
      if (signal.aborted || clock.mono() >= budget.until) return end(`${id}|`);
      const from = begin?.job_id === id ? begin.spot : null;
      const scope = { pattern: query.query, from, incarnation, since, until };
      const { lines, next } = await logs.search(logOf(id), scope, budget, signal);
      items.push(...lines.map((line) => ({ job_id: id, service, action, ...line })));
      if (next !== null) return end(`${id}|${next}`);
    }
    return end(null);
  }

  /** The jobs whose logs are meant, the oldest first. */
  #jobs({ service, action, job_id }: LineSearch): JobView[] {
    const { job, jobs } = this.#ports;
    const candidates = job_id !== undefined ? [job(job_id)] : jobs(service === undefined ? {} : { service });
    return candidates
      .filter((candidate) => service === undefined || candidate.service === service)
      .filter((candidate) => action === undefined || candidate.action === action)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** Reads a cursor of a search: the job, and the place in its log; null where there is no such place. */
export function parseSearchCursor(
  text: string,
): { job_id: string; spot: ReturnType<typeof parseSpot> } | null {
  const [, job_id, spot] = /^([^|]{1,256})\|(.*)$/.exec(text) ?? [];
  if (job_id === undefined || spot === undefined) return null;
  const parsed = parseSpot(spot);
  return spot !== '' && parsed === null ? null : { job_id, spot: parsed };
}
