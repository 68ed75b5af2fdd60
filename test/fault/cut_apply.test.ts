/**
 * A service file that is changed through upkeep, which dies at any instant of that: the file is the old one or the new
 * one, whole, and the next upkeep does what it says.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { inProcess } from '../support/in_process.ts';
import { Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { atEachPoint, nextUpkeep } from './each_point.ts';

const edition = (name: string): string => `# ours
services:
  web:
    actions:
      main: { process: true, run: [sleep, "1000"], env: { EDITION: ${name} }, stop: { timeout: 1s } }
`;

const OLD = edition('old');
const NEW = edition('new');

/** Fault points before the change, and after all that follows of it. */
const points = { begin: 0, end: 0 };
beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'upkeep-cut-'));
  try {
    writeFileSync(join(dir, 'upkeep.yaml'), OLD);
    let count = 0;
    const look = (): void => {
      count += 1;
    };
    const supervisor = await inProcess(dir, 'state', look, 'upkeep.yaml');
    await until(() => supervisor.service('web').state === 'up');
    points.begin = count;
    await supervisor.spec.applySpec(NEW, {}, 'cli');
    await until(() => supervisor.service('web').actions[0]?.restart_count === 1);
    await until(() => supervisor.service('web').state === 'up');
    points.end = count;
    await supervisor.shutdown('core');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Applies the new file, dies at a point of that, and says which file is left once the next upkeep does what it says. */
async function applyAndDie(point: number): Promise<'old' | 'new'> {
  const sandbox = new Sandbox({});
  let next: Supervisor | null = null;
  writeFileSync(sandbox.file, OLD);
  try {
    await sandbox
      .up({ UPKEEP_FAULT: `kill@${point}` })
      .then(() => sandbox.untilAction('web', ({ phase }) => phase === 'running'))
      .then(() => sandbox.client.call('spec.apply', { spec: NEW }))
      .catch(() => 'it has died');
    await sandbox.kill();
    const left = readFileSync(sandbox.file, 'utf8');
    expect([OLD, NEW]).toContain(left);
    const found = left === NEW ? 'new' : 'old';
    next = await nextUpkeep(sandbox);
    const look = next.service.bind(next, 'web');
    await until(() => {
      const [action] = look().actions;
      const isFound = action?.phase === 'running' && editionOf(action.pid) === found;
      return isFound && sandbox.marked().length === 1;
    }, 20);
    // Whatever was left behind of the one before is in nobody's way.
    await next.spec.applySpec(NEW, {}, 'cli');
    expect(readFileSync(sandbox.file, 'utf8')).toBe(NEW);
    return found;
  } finally {
    await next?.shutdown('core');
    await sandbox.remove();
  }
}

function editionOf(pid: number | null): string | undefined {
  try {
    return /(?:^|\0)EDITION=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

it('upkeep dies while it applies a change, or does what follows of it', { timeout: 600_000 }, async () => {
  const found = await atEachPoint({ begin: points.begin + 1, end: points.end }, applyAndDie);
  expect([found[0], found.at(-1)]).toEqual(['old', 'new']);
});
