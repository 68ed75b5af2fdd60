import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serviceFileJsonSchema } from '../../../core/spec/json_schema.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { accepted, actionWith, fileWith, REGISTRY, refused } from './support.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | false;
}

const SCHEMA = serviceFileJsonSchema(REGISTRY) as Schema;
const SERVICE = below(SCHEMA, 'services').additionalProperties || {};
const ACTION = below(SERVICE, 'actions').additionalProperties || {};

function below(schema: Schema, ...keys: string[]): Schema {
  return keys.reduce((at, key) => at.properties?.[key] ?? {}, schema);
}

/** Every schema within a schema, with the way there. */
function* within(schema: Schema, path = ''): Generator<[string, Schema]> {
  yield [path, schema];
  for (const [key, value] of Object.entries(schema.properties ?? {})) yield* within(value, `${path}.${key}`);
  for (const [index, option] of (schema.anyOf ?? []).entries()) yield* within(option, `${path}|${index}`);
  if (schema.items) yield* within(schema.items, `${path}[]`);
  if (schema.propertyNames) yield* within(schema.propertyNames, `${path}<>`);
  if (schema.additionalProperties) yield* within(schema.additionalProperties, `${path}.*`);
}

/** As much of JSON Schema as the schema has. */
function fits(schema: Schema, value: unknown): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((option) => fits(option, value));
  if (schema.const !== undefined) return value === schema.const;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' && new RegExp(schema.pattern ?? '', 'u').test(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'number':
    case 'integer': {
      if (typeof value !== 'number' || (schema.type === 'integer' && !Number.isInteger(value))) return false;
      return value >= (schema.minimum ?? value) && value <= (schema.maximum ?? value);
    }
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= (schema.minItems ?? 0) &&
        value.every((item) => fits(schema.items ?? {}, item))
      );
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
      const keys = Object.keys(value);
      if (
        keys.length < (schema.minProperties ?? 0) ||
        !schema.required?.every((key) => keys.includes(key)) === (schema.required !== undefined)
      )
        return false;
      return Object.entries(value).every(([key, held]) => {
        const known = schema.properties?.[key] ?? schema.additionalProperties;
        if (known === undefined || known === false) return false;
        return fits(schema.propertyNames ?? {}, key) && fits(known, held);
      });
    }
    default:
      return schema.type === undefined;
  }
}

describe('serviceFileJsonSchema', () => {
  it('knows every field of an action, and no other', () => {
    const { name: _, ...fields } = actionWith({});
    expect(Object.keys(ACTION.properties ?? {}).sort()).toEqual(
      [...Object.keys(fields), 'kill_others'].sort(),
    );
    expect(ACTION.required).toEqual(['run']);
    for (const part of ['ready', 'restart', 'stop', 'logs'] as const) {
      expect(Object.keys(below(ACTION, part).properties ?? {}).sort()).toEqual(
        Object.keys(fields[part]).sort(),
      );
    }
  });

  it('takes no unknown key anywhere', () => {
    for (const [path, schema] of within(SCHEMA)) {
      if (schema.properties !== undefined) expect(schema.additionalProperties, path).toBe(false);
    }
  });

  it('describes every field', () => {
    for (const [path, schema] of within(SCHEMA)) {
      for (const [key, field] of Object.entries(schema.properties ?? {})) {
        if (key !== 'type') expect(field.description, `${path}.${key}`).toMatch(/^\S.*\.$/s);
      }
    }
  });

  it('has the defaults', () => {
    const defaults = (part: string) =>
      Object.fromEntries(
        Object.entries(below(ACTION, part).properties ?? {}).map(([key, field]) => [key, field.default]),
      );
    expect(below(ACTION, 'process').default).toBe(false);
    expect(below(ACTION, 'cwd').default).toBe('.');
    expect(defaults('ready')).toEqual({ timeout: '30s', claims: 'own' });
    expect(defaults('stop')).toEqual({ signal: 'SIGTERM', timeout: '10s' });
    expect(defaults('restart')).toMatchObject({
      delay: '100ms',
      factor: 2,
      jitter: 0.1,
      stable_after: '10s',
    });
    expect(defaults('logs')).toEqual({
      rotate: [{ type: 'noon' }, { type: 'weight' }],
      keep: 10,
      max_total: '100MiB',
      compress: 'gzip',
    });
  });

  it('has the words to choose from', () => {
    expect(below(ACTION, 'restart', 'policy').enum).toEqual(['always', 'on_failure', 'never']);
    expect(below(ACTION, 'ready', 'claims').enum).toEqual(['own', 'open', 'none']);
    expect(below(ACTION, 'recovery').enum).toEqual(['adopt', 'restart']);
    expect(below(ACTION, 'logs', 'compress').enum).toEqual(['gzip', 'zstd', 'none']);
    expect(below(ACTION, 'stop', 'signal').enum).toEqual(
      expect.arrayContaining(['SIGTERM', 'TERM', 'SIGKILL', 'HUP']),
    );
    expect(below(ACTION, 'stop', 'signal').enum).not.toContain('SIGSTOP');
  });

  it('knows the rotators that it is given', () => {
    const rules = below(ACTION, 'logs', 'rotate').items?.anyOf ?? [];
    expect(rules.map((rule) => [below(rule, 'type').const, Object.keys(rule.properties ?? {})])).toEqual([
      ['noon', ['type']],
      ['weight', ['type', 'max']],
      ['moon', ['type']],
    ]);
  });

  // What one field says by itself: the parser and the schema must be of one opinion.
  it.each([
    {},
    { process: true, tcp_ports: [80, '81', '127.0.0.1:82', '[::1]:83', '*:84'], udp_ports: [1, 65_535] },
    { process: true, sockets: ['/x', 'y', '@z'], singleton: true, pid_file: 'p', recovery: 'adopt' },
    { run: ['x', 1, true, ''], cwd: 'a', env: { A: 'x', _B: 1, C: false }, env_file: 'x' },
    { env_file: ['x', 'y'], kill_other: true },
    { kill_others: { ports: [1, 'udp:2', 'tcp:[::1]:3'], sockets: ['@x'], process_filters: ['x*'] } },
    { process: true, ready: { timeout: '1m30s', claims: 'none' }, stop: { signal: 'INT', timeout: 0 } },
    {
      restart: {
        policy: 'never',
        delay: '0.5s',
        factor: 1,
        max_delay: '1h',
        jitter: 1,
        stable_after: 0,
        max_attempts: 0,
      },
    },
    {
      logs: {
        rotate: [{ type: 'weight', max: '1KiB' }, { type: 'moon' }],
        keep: 0,
        max_total: 1,
        max_age: '7d',
        compress: 'none',
      },
    },
  ])('takes what the parser takes: %j', (fields) => {
    expect(Object.keys(accepted(fileWith(fields)).services)).toEqual(['s']);
    expect(fits(SCHEMA, JSON.parse(fileWith(fields)))).toBe(true);
  });

  it.each([
    { run: undefined },
    { run: ' ' },
    { run: 'a\0' },
    { run: [] },
    { run: ['x', null] },
    { proces: true },
    { health: {} },
    { health: [{ type: 'pulse', rate: 'x' }] },
    { health: [{ type: 'pulse', beat: 1 }] },
    { process: 'yes' },
    { cwd: '~/x' },
    { env: { '1A': 'x' } },
    { env: { UPKEEP_A: 'x' } },
    { env: { A: null } },
    { env: [] },
    { after: ['A'] },
    { process: true, sockets: ['@'] },
    { process: true, tcp_ports: [0] },
    { process: true, tcp_ports: [70_000] },
    { process: true, tcp_ports: ['localhost:80'] },
    { process: true, tcp_ports: ['udp:80'] },
    { kill_other: { process_filters: ['* ?'] } },
    { kill_other: [] },
    { process: true, ready: { timeout: 0 } },
    { restart: { delay: 10 } },
    { restart: { delay: '10' } },
    { restart: { delay: '1s1m' } },
    { restart: { factor: 0.5 } },
    { restart: { jitter: 2 } },
    { restart: { max_attempts: 1.5 } },
    { stop: { signal: 'SIGSTOP' } },
    { recovery: 'no' },
    { logs: { max_total: '10M' } },
    { logs: { max_total: 0 } },
    { logs: { max_age: 0 } },
    { logs: { compress: 'xz' } },
    { logs: { keep: -1 } },
    { logs: { rotate: [{}] } },
    { logs: { rotate: [{ type: 'sun' }] } },
    { logs: { rotate: [{ type: 'noon', max: 1 }] } },
  ])('refuses what the parser refuses: %j', (fields) => {
    expect(refused(fileWith(fields)).length).toBeGreaterThan(0);
    expect(fits(SCHEMA, JSON.parse(fileWith(fields)))).toBe(false);
  });

  it.each([
    '{}',
    '{"services": {"A": {"actions": {"a": {"run": "x"}}}}}',
    '{"services": {"s": {"actions": {}}}}',
    '{"services": {"s": {}}}',
    '{"services": {}, "x": 1}',
    '[]',
  ])('refuses what the parser refuses: %s', (text) => {
    expect(refused(text).length).toBeGreaterThan(0);
    expect(fits(SCHEMA, JSON.parse(text))).toBe(false);
  });
});

describe('write_schema', () => {
  it('writes the schema with the built-in rotators', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'upkeep-schema-'));
    const argv = process.argv;
    try {
      const file = join(folder, 'upkeep.schema.json');
      process.argv = [argv[0] ?? 'node', 'write_schema.js', file];
      await import('../../../adapters/cli/write_schema.ts');
      const written = JSON.parse(readFileSync(file, 'utf8'));
      expect(written).toEqual(JSON.parse(JSON.stringify(serviceFileJsonSchema(builtInPlugins))));
      expect(written.$schema).toBe('http://json-schema.org/draft-07/schema#');
    } finally {
      process.argv = argv;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
