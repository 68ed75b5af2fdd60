/**
 * What an upkeep in the foreground says of its start: what it still waits for, and when that is over.
 */
import type { Clock } from '../../core/host/host.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { oneLine } from './text/event_line.ts';
import { formatSpan } from './text/time.ts';
import { cutTo } from './text/width.ts';

/** Where it is said. */
export interface ReportOutput {
  print(line: string): void;
  /** A line below all others; only where `columns` says that there is a terminal. */
  show(line: string): void;
  readonly columns: number | null;
}

/** Time before the first look, and between two of them at the most, ms: with many services a look is work. */
const FIRST_INTERVAL = 500;
const LONGEST_INTERVAL = 5000;

/**
 * Looks until every service that is wanted up is up or has failed, shows meanwhile on a terminal what is waited for, and
 * then says how many are up.
 */
export function reportStart(
  supervisor: Pick<Supervisor, 'services' | 'why' | 'stopped'>,
  clock: Pick<Clock, 'timer' | 'wall'>,
  { print, show, columns }: ReportOutput,
): void {
  const begun = clock.wall();
  let over = false;
  let interval = FIRST_INTERVAL;
  void supervisor.stopped.then(() => {
    over = true;
    show('');
  });

  const look = async (): Promise<void> => {
    if (over) return;
    const wanted = supervisor.services().filter((service) => service.wanted === 'up');
    const missing = wanted.filter(({ state }) => state !== 'up');
    const count = `${wanted.length - missing.length} of ${wanted.length} services`;
    const [first] = missing.filter(({ state }) => state !== 'failed');
    if (first === undefined) {
      show('');
      const names = missing.map(({ name }) => name).join(', ');
      if (missing.length > 0) print(`${count} are up; failed: ${names} (see: upkeep why)`);
      else if (wanted.length > 0) print(`${count} are up`);
      return;
    }
    if (columns !== null) {
      // It may have been taken out of the file meanwhile.
      const summary = await supervisor.why(first.name).then(
        (answer) => answer.summary,
        () => first.name,
      );
      const text = `… ${formatSpan(clock.wall() - begun)}  ${count} are up; ${oneLine(summary)}`;
      if (!over) show(cutTo(text, columns - 1));
    }
    clock.timer(interval, look);
    // What takes long is looked at less and less often.
    if (clock.wall() - begun > LONGEST_INTERVAL) interval = Math.min(interval * 2, LONGEST_INTERVAL);
  };
  clock.timer(interval, look);
}
