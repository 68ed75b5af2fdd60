/**
 * What every log rotator must do, whatever its rule is.
 */
import assert from 'node:assert/strict';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import type { LogFacts, LogRotator, RotationDecision } from '../../core/plugin/log_rotator.ts';
import type { ContractCase } from './contract_case.ts';

type Options = Readonly<Record<string, unknown>>;

const NOW = 1_767_225_600_000;
const HUGE = Number.MAX_SAFE_INTEGER;
const SIZES = [0, 1, 4095, 4096, 10 * 1024 * 1024, 2 ** 40, HUGE];
const TIMES = [0, 1, NOW - 400 * 86_400_000, NOW - 1, NOW, NOW + 1, NOW + 400 * 86_400_000, 8.64e15, HUGE];

/** Facts of every kind: nothing, something and far too much; a begin long ago, just now, and in the future. */
const FACTS: readonly LogFacts[] = (['restart', 'look'] as const).flatMap((occasion) =>
  SIZES.flatMap((size) =>
    TIMES.flatMap((begun_at) => [0, NOW, HUGE].map((now) => ({ occasion, size, begun_at, now }))),
  ),
);

/**
 * The suite for one rotator.
 *
 * @param written Options as they may stand in a service file, beside its defaults where it has some for all of them.
 */
export function logRotatorCases(rotator: LogRotator, written: readonly Options[]): readonly ContractCase[] {
  const read = (options: Options): Options => v.parse(rotator.options, options);
  const everywhere = (check: (facts: LogFacts, options: Options) => void): void => {
    const all = v.safeParse(rotator.options, {}).success ? [{}, ...written] : written;
    for (const options of all.map(read)) for (const facts of FACTS) check(facts, options);
  };
  return [
    {
      name: 'has a name and a summary that a service file can show',
      run() {
        assert.match(rotator.name, /^[a-z][a-z0-9_]*$/);
        assert.match(rotator.summary, /^[A-Z].*\.$/s);
      },
    },
    {
      name: 'describes each of its options, and none is called type',
      run() {
        for (const [name, field] of Object.entries(rotator.options.entries)) {
          assert.notEqual(name, 'type');
          const schema = toJsonSchema(field, { typeMode: 'input', errorMode: 'ignore' });
          assert.match(schema.description ?? '', /^\S.*\.$/s, `the option ${name} must have a description`);
        }
      },
    },
    {
      name: 'has options that JSON Schema can tell',
      run() {
        const schema = toJsonSchema(rotator.options, { typeMode: 'input' });
        assert.equal(schema.type, 'object');
        assert.deepEqual(
          Object.keys(schema.properties ?? {}).sort(),
          Object.keys(rotator.options.entries).sort(),
        );
      },
    },
    {
      name: 'has options that stay what they are as JSON',
      run() {
        everywhere((_, options) => assert.deepEqual(JSON.parse(JSON.stringify(options)), { ...options }));
      },
    },
    {
      name: 'refuses an option that it does not have',
      run() {
        assert.equal(v.safeParse(rotator.options, { no_such_option: 1 }).success, false);
      },
    },
    {
      name: 'gives a decision that upkeep can act on, whatever the facts are',
      run() {
        everywhere((facts, options) => assertWellFormed(rotator.decide(facts, options), facts));
      },
    },
    {
      name: 'gives the same answer to the same question, and changes nothing that it is handed',
      run() {
        everywhere((facts, options) => {
          const asked = Object.freeze({ ...facts });
          const frozen = Object.freeze(structuredClone(options));
          const answer = rotator.decide(asked, frozen);
          assert.deepEqual(rotator.decide(asked, frozen), answer);
          assert.deepEqual(frozen, options);
        });
      },
    },
    {
      name: 'never sets an empty log aside',
      run() {
        everywhere((facts, options) => {
          if (facts.size === 0)
            assert.equal(rotator.decide(facts, options).action, 'keep', JSON.stringify(facts));
        });
      },
    },
  ];
}

function assertWellFormed(decision: RotationDecision, facts: LogFacts): void {
  const told = `${JSON.stringify(facts)} → ${JSON.stringify(decision)}`;
  if (decision.action === 'keep') {
    const { next_at } = decision;
    assert.ok(next_at === undefined || (Number.isFinite(next_at) && next_at > facts.now), told);
    return;
  }
  assert.equal(decision.action, 'rotate', told);
  assert.ok(Number.isSafeInteger(decision.bytes) && decision.bytes > 0, told);
}
