/**
 * A supervisor in the test's own process, on the real machine, and what it says about why. What has to outlive an upkeep
 * is tested with the real program instead.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { expect } from 'vitest';
import type { Host } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import type { ReasonCode } from '../../core/job/reason.ts';
import { OPERATIONS, type OperationName } from '../../core/operation/table.ts';
import { whySchema } from '../../core/operation/why_schemas.ts';
import type { Probe } from '../../core/plugin/probe.ts';
import type { ActionView, ActionWhy, Why } from '../../core/supervisor/control.ts';
import type { NextCall } from '../../core/supervisor/next_step.ts';
import type { WhyNote } from '../../core/supervisor/notes.ts';
import { startSupervisor } from '../../core/supervisor/start.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../plugins/mod.ts';
import { Strangers } from '../support/strangers.ts';
import { testService } from '../support/test_service.ts';
import { until } from '../support/until.ts';

/** A pause that no test outlives: the first failure stays to be looked at. */
export const LONG_PAUSE = { delay: '1h', max_delay: '1h', stable_after: '200ms' };

/** The test service, with its environment. */
export function service(env: Record<string, string | number>, extra: object = {}): object {
  return testService(env, { restart: LONG_PAUSE, ...extra });
}

/** A process that does nothing. */
export function sleeper(extra: object = {}): object {
  return service({}, { run: ['sleep', '1000'], ...extra });
}

/** One supervisor's world: a service `web`, whose action is `main` unless a test says otherwise. */
export class WhyLab {
  readonly dir = mkdtempSync(join(tmpdir(), 'upkeep-why-'));
  readonly #strangers = new Strangers();
  #supervisor: Supervisor | null = null;

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  get upkeep(): Supervisor {
    if (this.#supervisor === null) throw new Error('it has not been started');
    return this.#supervisor;
  }

  write(actions: object, rest: object = {}): void {
    writeFileSync(this.path('upkeep.json'), JSON.stringify({ services: { web: { actions } }, ...rest }));
  }

  /** Starts upkeep on a service of one action, or on what was written. */
  async start(
    main: object | null,
    { host = nodeHost(), probes = builtInPlugins.probes }: { host?: Host; probes?: readonly Probe[] } = {},
  ): Promise<void> {
    if (main !== null) this.write({ main });
    this.#supervisor = await startSupervisor({
      host,
      state_dir: this.path('state'),
      spec_file: this.path('upkeep.json'),
      plugins: { ...builtInPlugins, probes },
      recovery: 'as_specified',
      env: process.env,
      pid: process.pid,
      version: 'test',
    });
  }

  /** Somebody else's process; resolves with its pid once it has printed something. */
  stranger(code: string): Promise<number> {
    return this.#strangers.start(code);
  }

  action(name = 'main'): ActionView {
    const found = this.upkeep.service('web').actions.find(({ action }) => action === name);
    if (found === undefined) throw new Error(`no action ${name}`);
    return found;
  }

  async until(is: (action: ActionView) => boolean, name = 'main'): Promise<void> {
    await until(() => is(this.action(name)));
  }

  /** The whole answer: as its schema describes it, with calls that can be made. */
  async answer(): Promise<Why> {
    const why = await this.upkeep.why('web');
    expect(v.parse(whySchema, why)).toEqual(why);
    for (const { next } of [
      why,
      ...why.notes,
      ...why.actions.flatMap((action) => [action, ...action.notes]),
    ]) {
      if (next !== null) expectCallable(next);
    }
    for (const { events } of why.actions) expectChain(events);
    return why;
  }

  async why(name = 'main'): Promise<ActionWhy> {
    const found = (await this.answer()).actions.find(({ action }) => action === name);
    if (found === undefined) throw new Error(`no action ${name}`);
    return found;
  }

  /** Waits for a note about the action, or about upkeep itself, in the answer. */
  async note(code: ReasonCode, name = 'main'): Promise<WhyNote> {
    let found: WhyNote | undefined;
    await until(async () => {
      const { notes, actions } = await this.answer();
      const all = [...(actions.find(({ action }) => action === name)?.notes ?? []), ...notes];
      found = all.find((note) => note.code === code);
      return found !== undefined;
    }, 20);
    if (found === undefined) throw new Error('unreachable');
    expect(found.next_step).not.toBe('');
    return found;
  }

  async remove(): Promise<void> {
    this.#strangers.end();
    await this.#supervisor?.shutdown('core');
    this.#supervisor = null;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** There is such an operation, and it takes that input. */
export function expectCallable({ operation, input }: NextCall): void {
  expect(Object.keys(OPERATIONS)).toContain(operation);
  expect(v.safeParse(OPERATIONS[operation as OperationName].input, input).success).toBe(true);
}

/** Each event is the cause of the next, oldest first. */
function expectChain(events: ActionWhy['events']): void {
  expect(events.length).toBeGreaterThan(0);
  for (const [index, event] of events.entries()) {
    if (index === 0) continue;
    const before = events[index - 1];
    expect(event.seq).toBeGreaterThan(before?.seq ?? 0);
    // An upkeep that has come back does not know what the last one wrote.
    if (event.cause !== null) expect(event.cause).toBe(before?.seq);
  }
}
