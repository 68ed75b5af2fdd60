/**
 * What a plugin in a file of its own must do, asked through its own process: what `upkeep plugins check` runs, and
 * whoever tests his plugin with `upkeep/testing`.
 */
import assert from 'node:assert/strict';
import type { LogFacts } from '../../core/plugin/log_rotator.ts';
import type { OpenedPlugin } from '../../core/plugin/remote/open.ts';
import type { ContractCase } from './contract_case.ts';
import { honestProbeCases } from './honest_probe.ts';

type Options = Readonly<Record<string, unknown>>;

/**
 * The suite for a plugin.
 *
 * @param options as they would stand in a service file.
 */
export function pluginFileCases(plugin: OpenedPlugin, options: Options = {}): readonly ContractCase[] {
  return [
    ...commonCases(plugin, options),
    ...casesByKind(plugin, options),
    {
      name: 'is at fault in nothing that was asked',
      run: () => assert.deepEqual(plugin.faults, []),
    },
  ];
}

function casesByKind(plugin: OpenedPlugin, options: Options): readonly ContractCase[] {
  switch (plugin.description.kind) {
    case 'probe':
      return honestProbeCases(plugin.probe(options));
    case 'health':
      return healthCases(plugin, options);
    case 'rotate':
      return rotatorCases(plugin, options);
    case 'notify':
      // Telling somebody would be more than a test should do by itself.
      return [];
  }
}

function commonCases(plugin: OpenedPlugin, options: Options): readonly ContractCase[] {
  const { description, options_schema } = plugin;
  const properties = Object.entries((options_schema['properties'] ?? {}) as Record<string, Options>);
  return [
    {
      name: 'says in one sentence what it is',
      run: () => assert.match(description.summary, /^[A-Z].*\.$/s),
    },
    {
      name: 'describes each of its options',
      run() {
        const bare = properties.filter(([, schema]) => !String(schema['description'] ?? '').endsWith('.'));
        assert.deepEqual(
          bare.map(([name]) => name),
          [],
          'options without a description that ends in a full stop',
        );
      },
    },
    {
      name: 'is granted what it asks for',
      run: () => assert.deepEqual(plugin.missing, [], 'asked for, and not granted'),
    },
    {
      name: 'takes the options that it is given',
      async run() {
        const issues = await plugin.checkOptions(options);
        assert.deepEqual(
          issues.map(({ path, message }) => `${path.join('.')} ${message}`),
          [],
        );
      },
    },
    {
      name: 'refuses an option that it does not know',
      async run() {
        const issues = await plugin.checkOptions({ ...options, no_such_option: 1 });
        assert.notEqual(issues.length, 0);
      },
    },
  ];
}

function healthCases(plugin: OpenedPlugin, options: Options): readonly ContractCase[] {
  const job = {
    service: 'shop',
    action: 'web',
    job_id: 'j1',
    restart_count: 0,
    pid: process.pid,
    started_at: Date.now() - 60_000,
    cwd: process.cwd(),
  };
  const look = (signal: AbortSignal) =>
    plugin.healthCheck().look(options, { job, readLog: async () => [], signal });
  return [
    {
      name: 'answers a look with a status and a sentence, or throws where it cannot look',
      async run() {
        const answer = await look(AbortSignal.timeout(10_000)).catch((error: unknown) => error);
        if (answer instanceof Error) assert.notEqual(answer.message, '');
        else assert.notEqual((answer as { message: string }).message, '');
      },
    },
    {
      name: 'answers two looks at once',
      async run() {
        const { signal } = new AbortController();
        await Promise.allSettled([look(signal), look(signal)]);
      },
    },
    {
      name: 'ends when it is told to',
      async run() {
        const abort = new AbortController();
        const looking = look(abort.signal).then(
          () => {},
          () => {},
        );
        abort.abort();
        await looking;
      },
    },
  ];
}

const NOW = 1_767_225_600_000;

/** Nothing, something and far too much; a begin long ago, just now, and in the future. */
const FACTS: readonly LogFacts[] = (['restart', 'look'] as const).flatMap((occasion) =>
  [0, 1, 10 * 1024 * 1024, Number.MAX_SAFE_INTEGER].flatMap((size) =>
    [0, NOW - 1, NOW, NOW + 86_400_000].map((begun_at) => ({ occasion, size, begun_at, now: NOW })),
  ),
);

function rotatorCases(plugin: OpenedPlugin, options: Options): readonly ContractCase[] {
  return [
    {
      name: 'decides about any log, and the same about the same',
      async run() {
        for (const facts of FACTS) {
          const first = await plugin.decide(facts, options);
          assert.deepEqual(await plugin.decide(facts, options), first, JSON.stringify(facts));
        }
      },
    },
    {
      name: 'leaves an empty log alone',
      async run() {
        for (const facts of FACTS.filter(({ size }) => size === 0)) {
          assert.deepEqual(await plugin.decide(facts, options), { action: 'keep' }, JSON.stringify(facts));
        }
      },
    },
  ];
}
