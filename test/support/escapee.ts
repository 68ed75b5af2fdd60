/** The child that `fixtures/service.mjs` leaves behind where ESCAPEE is set. */
import { existsSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { alive } from './sandbox.ts';
import { until } from './until.ts';

/**
 * Waits until the first escapee of a service is what it is going to be: it ignores SIGTERM, and holds its port. It goes
 * with the test at the latest, as one without an environment carries no marker by which the sandbox would find it.
 *
 * @param record The service's RECORD.
 * @returns its pid.
 */
export async function escapeeOf(record: string): Promise<number> {
  const path = `${record}.escapees`;
  // A file that is there is empty for an instant.
  await until(() => existsSync(path) && readFileSync(path, 'utf8').includes('\n'));
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
  onTestFinished(() => {
    if (alive(pid)) process.kill(pid, 'SIGKILL');
  });
  return pid;
}
