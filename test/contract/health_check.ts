/**
 * What every health check must do, on real services, as plain cases.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import type { CheckedJob } from '../../core/plugin/context.ts';
import type { HealthResult } from '../../core/plugin/definition.ts';
import type { HealthCheck } from '../../core/plugin/health_check.ts';
import { COMMON_HEALTH_FIELDS } from '../../core/spec/health_field.ts';
import type { ContractCase } from './contract_case.ts';

/** A service that is well or not, and how the check is told to look at it. */
export interface HealthSituation {
  /** As they stand in a service file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What is particular about the job. By default it has been up for a day, in the root folder. */
  readonly job?: Partial<CheckedJob>;
  /** What the job has printed since a moment. By default nothing. */
  readonly readLog?: (since: number) => Promise<readonly string[]>;
  /** Takes it down again. */
  end?(): Promise<void> | void;
}

/** Sets a situation up. */
export type SetUp = () => Promise<HealthSituation> | HealthSituation;

/** A check, and what it can meet with. */
export interface HealthCheckContract {
  readonly check: HealthCheck;
  /** A service that is well. */
  readonly good: SetUp;
  /** A service that is ill. */
  readonly bad: SetUp;
  /** One that cannot be looked at. */
  readonly broken: SetUp;
  /** One that never answers; left out for a check that waits for nothing. */
  readonly silent?: SetUp;
}

const DAY = 86_400_000;

/** What an answer must be. */
const ANSWER = v.strictObject({
  status: v.picklist(['pass', 'warn', 'fail']),
  message: v.pipe(v.string(), v.regex(/^[^\p{Cc}]{1,1000}$/u)),
  data: v.optional(v.record(v.string(), v.unknown())),
});

/** The cases of the suite. */
export function healthCheckCases({ check, good, bad, broken, silent }: HealthCheckContract): ContractCase[] {
  const about = (name: string, run: ContractCase['run'], needs: readonly string[] = []): ContractCase => ({
    name,
    run,
    ...(needs.length === 0 ? {} : { needs }),
  });

  /** Looks once at a situation. */
  async function look(
    situation: HealthSituation,
    signal = new AbortController().signal,
  ): Promise<HealthResult> {
    const options = v.parse(check.options, situation.options);
    const job: CheckedJob = {
      service: 'shop',
      action: 'web',
      job_id: 'j1',
      restart_count: 0,
      pid: process.pid,
      started_at: Date.now() - DAY,
      cwd: '/',
      ...situation.job,
    };
    return await check.look(options, { job, signal, readLog: situation.readLog ?? (async () => []) });
  }

  async function inside(setUp: SetUp, run: (situation: HealthSituation) => Promise<void>): Promise<void> {
    const situation = await setUp();
    try {
      await run(situation);
    } finally {
      await situation.end?.();
    }
  }

  const statusIs = (setUp: SetUp, status: HealthResult['status']) => () =>
    inside(setUp, async (situation) => {
      const result = await look(situation);
      assert.equal(result.status, status, JSON.stringify(result));
    });

  return [
    about('has a name and a summary that fit a service file', () => {
      assert.match(check.name, /^[a-z][a-z0-9_]*$/);
      assert.match(check.summary, /\S.*\.$/);
    }),
    about('has options that are described, and named like none that every check has', () => {
      const schema = toJsonSchema(check.options, { typeMode: 'input', ignoreActions: ['raw_check'] });
      assert.equal(schema.type, 'object');
      assert.equal(schema.additionalProperties, false);
      for (const [name, option] of Object.entries(check.options.entries)) {
        assert.match(name, /^[a-z][a-z0-9_]*$/);
        assert.ok(!COMMON_HEALTH_FIELDS.includes(name), `every check has a field ${name}`);
        const description = v.getDescription(option as v.GenericSchema);
        assert.match(description ?? '', /\S.*\.$/, `${name} has no description`);
      }
    }),
    about('refuses options that it does not know', () =>
      inside(good, async ({ options }) => {
        assert.equal(v.safeParse(check.options, { ...options, no_such_option: 1 }).success, false);
      }),
    ),
    about('has options that are plain data once they are checked', () =>
      inside(good, async ({ options }) => {
        const parsed = v.parse(check.options, options);
        const plain = JSON.parse(JSON.stringify(parsed)) as Record<string, unknown>;
        const given = Object.entries(parsed).filter(([, value]) => value !== undefined);
        assert.deepEqual(plain, Object.fromEntries(given));
      }),
    ),
    about('passes where the service is well', statusIs(good, 'pass')),
    about('fails where it is ill', statusIs(bad, 'fail')),
    about('throws, and says why, where it cannot look', () =>
      inside(broken, async (situation) => {
        await assert.rejects(look(situation), (error) => {
          assert.ok(error instanceof Error);
          assert.match(error.message, /\S/);
          return true;
        });
      }),
    ),
    about('answers as is laid down, in plain data', async () => {
      for (const setUp of [good, bad]) {
        await inside(setUp, async (situation) => {
          const result = await look(situation);
          v.parse(ANSWER, result);
          assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
        });
      }
    }),
    about('does not begin once it is called off', () =>
      inside(good, (situation) => assert.rejects(look(situation, AbortSignal.abort()))),
    ),
    ...(silent === undefined
      ? []
      : [
          about('ends when it is called off, and says nothing good', () =>
            inside(silent, async (situation) => {
              const controller = new AbortController();
              const looking = look(situation, controller.signal).then(
                ({ status }) => status,
                () => 'unknown',
              );
              // Long enough that it waits for the service; what counts is that it ends at all.
              assert.equal(await Promise.race([looking, pause(50, 'waiting')]), 'waiting');
              controller.abort();
              assert.match(await looking, /^(fail|unknown)$/);
            }),
          ),
        ]),
    about('looks many times at once without one disturbing another', () =>
      inside(good, (well) =>
        inside(bad, async (ill) => {
          const looks = Array.from({ length: 20 }, (_, index) => look(index % 2 === 0 ? well : ill));
          const results = await Promise.all(looks);
          const statuses = results.map(({ status }) => status);
          assert.deepEqual(
            statuses,
            statuses.map((_, index) => (index % 2 === 0 ? 'pass' : 'fail')),
          );
        }),
      ),
    ),
    about('leaves no process, descriptor, connection or listener behind', async () => {
      for (const setUp of [good, bad, broken, silent]) {
        if (setUp === undefined) continue;
        await inside(setUp, async (situation) => {
          // What is made once and kept is made now.
          await lookAndCallOff(situation, setUp === silent);
          const before = held();
          for (let count = 0; count < 10; count += 1) await lookAndCallOff(situation, setUp === silent);
          while (!isWithin(held(), before)) await pause(5);
        });
      }
    }, ['procfs']),
  ];

  async function lookAndCallOff(situation: HealthSituation, isSilent: boolean): Promise<void> {
    const controller = new AbortController();
    const looking = look(situation, controller.signal).catch(() => null);
    if (isSilent) {
      await pause(20);
      controller.abort();
    }
    await looking;
    assert.deepEqual(getEventListeners(controller.signal, 'abort'), []);
  }
}

/** How much this process has open, and how many children. */
interface Held {
  readonly descriptors: number;
  readonly children: number;
}

function held(): Held {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    children: children.split(' ').filter((pid) => pid !== '').length,
  };
}

/** Not equal to: a service that runs in this process may have let go of something in between. */
function isWithin(now: Held, before: Held): boolean {
  return now.descriptors <= before.descriptors && now.children <= before.children;
}
