/**
 * What every face is asked, made from the table of operations: a new operation is asked about by being there.
 */
import type { JsonSchema } from '@valibot/to-json-schema';
import { inputFields } from '../../adapters/document/input_fields.ts';
import { jsonSchemas } from '../../adapters/document/json_schemas.ts';
import type { Scope } from '../../core/access/scope.ts';
import type { OperationErrorCode } from '../../core/operation/error.ts';
import { type Operation, rehearsalScope, SCOPES } from '../../core/operation/operation.ts';
import { type CallName, OPERATIONS } from '../../core/operation/table.ts';
import type { Input } from './faces/face.ts';
import { EXTRA, type World } from './world.ts';

/** One call, and what is to come of it. */
export interface Case {
  readonly operation: CallName;
  readonly title: string;
  readonly input: (world: World) => Input | Promise<Input>;
  readonly expected: 'answer' | OperationErrorCode;
  /** Asked by somebody with this scope only, where there are tokens. */
  readonly as: Scope;
}

/** Every operation with one answer. */
export const CALLS = (Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]).filter(
  (name): name is CallName => OPERATIONS[name].kind !== 'subscription',
);

type Value = (world: World) => unknown;

/** A whole service file with one service more. */
const withExtra: Value = ({ services }) => JSON.stringify({ services: { ...services, extra: EXTRA } });

/**
 * What is there, by the names of fields: of one operation, of a noun, of all. What is in none of these is as it stands
 * in the example.
 */
const VALUES: Readonly<Record<string, Value>> = {
  'service.start.name': () => 'spare',
  'service.stop.name': () => 'spare',
  'service.restart.name': () => 'spare',
  'service.put.name': () => 'extra',
  'service.put.spec': () => EXTRA,
  'service.delete.name': () => 'extra',
  'service.name': () => 'shop',
  'spec.apply.spec': withExtra,
  'run.id': ({ run }) => run,
  'job.signal.id': ({ spareJob }) => spareJob(),
  'job.id': ({ job }) => job,
  'log.id': ({ job }) => job,
  'token.name': () => 'made',
  service: () => 'shop',
  job_id: ({ job }) => job,
  run_id: ({ run }) => run,
  tcp_port: ({ held }) => held,
  after: () => 0,
};

/** How the world is made ready for a command, as each face is to find the same. */
export const READY: Partial<Record<CallName, (world: World) => Promise<unknown>>> = {
  'service.start': ({ owner }) => owner.service.stop({ name: 'spare', wait: true }),
  'service.stop': ({ owner }) => owner.service.start({ name: 'spare', wait: true }),
  'service.restart': ({ owner }) => owner.service.start({ name: 'spare', wait: true }),
  'service.put': (world) => without(world),
  'spec.apply': (world) => without(world),
  'service.delete': ({ owner }) => owner.service.put({ name: 'extra', spec: EXTRA }),
  'job.signal': ({ owner }) => owner.service.start({ name: 'spare', wait: true }),
  'token.create': ({ owner }) => owner.token.revoke({ name: 'made' }).catch(() => {}),
  'token.revoke': async ({ owner }) => {
    await owner.token.revoke({ name: 'made' }).catch(() => {});
    await owner.token.create({ name: 'made', scope: 'read' });
  },
};

/** Further calls that are worth a look. */
const MORE: readonly (readonly [CallName, 'answer' | OperationErrorCode, Value])[] = [
  ['service.list', 'answer', () => ({ limit: 2 })],
  ['service.get', 'answer', () => ({ name: 'broken' })],
  ['service.get', 'answer', () => ({ name: 'idle' })],
  ['service.why', 'answer', () => ({ name: 'broken' })],
  ['service.why', 'answer', () => ({ name: 'idle' })],
  ['service.start', 'answer', () => ({ name: 'spare' })],
  ['service.heal', 'answer', () => ({ name: 'broken', dry_run: true })],
  ['service.heal', 'not_found', () => ({ name: 'shop', plan_id: 'nope' })],
  ['service.heal', 'invalid_input', () => ({ name: 'shop' })],
  ['service.put', 'answer', () => ({ name: 'extra', spec: EXTRA, dry_run: true })],
  ['service.put', 'invalid_input', () => ({ name: 'extra', spec: { actions: { main: { run: 7 } } } })],
  ['service.delete', 'answer', () => ({ name: 'extra', dry_run: true })],
  ['spec.check', 'answer', () => ({ spec: `services: {}\n# ${'long '.repeat(20_000)}` })],
  ['spec.check', 'answer', () => ({ spec: { services: { x: { actions: { a: { run: 1 } } } } } })],
  ['spec.apply', 'answer', (world) => ({ spec: withExtra(world), dry_run: true })],
  ['spec.apply', 'invalid_input', () => ({ spec: 'services:\n  x: { actions: { a: { rum: 1 } } }\n' })],
  ['job.signal', 'conflict', ({ idle_job }) => ({ id: idle_job, signal: 'SIGHUP' })],
  ['log.read', 'answer', ({ job }) => ({ id: job, limit: 1 })],
  ['log.search', 'answer', () => ({ query: 'cannot' })],
  ['log.search', 'invalid_input', () => ({ query: '/(/' })],
  ['holder.find', 'answer', ({ socket }) => ({ socket })],
  ['holder.find', 'invalid_input', ({ held }) => ({ tcp_port: held, udp_port: held })],
  ['holder.find', 'invalid_input', () => ({})],
  ['event.list', 'answer', () => ({ service: 'shop', limit: 3 })],
  ['event.list', 'answer', () => ({ before: 5, limit: 2 })],
  ['token.create', 'conflict', () => ({ name: 'the-read', scope: 'admin' })],
  ['audit.list', 'answer', () => ({ limit: 5 })],
];

/** All of it. What ends upkeep is not carried out here. */
export function casesOf(operation: CallName): Case[] {
  const declared: Operation = OPERATIONS[operation];
  const fields = inputFields(jsonSchemas([], '').of(declared.input));
  const example = (world: World) => exampleInput(operation, world);
  const changed =
    (change: Input, gone?: string) =>
    async (world: World): Promise<Input> => {
      const input = { ...(await example(world)), ...change };
      return Object.fromEntries(Object.entries(input).filter(([field]) => field !== gone));
    };
  const made = (title: string, expected: Case['expected'], input: Case['input'], as: Scope = 'admin') => ({
    operation,
    title,
    expected,
    input,
    as,
  });
  const named = ['name', 'id', 'job_id'].find((field) => fields.has(field));
  const narrow = SCOPES[SCOPES.indexOf(declared.scope) - 1];
  return [
    ...(operation === 'daemon.shutdown' ? [] : [made('its example', 'answer', example)]),
    ...MORE.filter(([name]) => name === operation).map(([, expected, input], index) =>
      made(`further call ${index + 1}, ${expected}`, expected, input as Case['input']),
    ),
    ...(declared.errors.includes('not_found') && named !== undefined
      ? [
          made(`a ${named} that is not there`, 'not_found', changed({ [named]: 'nobody-at-all' })),
          made(`a ${named} of odd characters`, 'not_found', changed({ [named]: 'ü/ä %41?&=#+.. "' })),
          made(`a ${named} with a slip`, 'not_found', async (world) => {
            const input = await example(world);
            return { ...input, [named]: slipped(String(input[named] ?? world.job)) };
          }),
        ]
      : []),
    ...[...fields].map(([field, { schema }]) =>
      made(`${field} of another type`, 'invalid_input', changed({ [field]: otherType(schema) })),
    ),
    ...[...fields]
      .filter(([, { required }]) => required)
      .map(([field]) => made(`no ${field}`, 'invalid_input', changed({}, field))),
    made('a field more', 'invalid_input', changed({ nobody_knows_this: 'x' })),
    ...(narrow === undefined
      ? []
      : [made(`the scope '${narrow}'`, 'forbidden', changed({}, 'dry_run'), narrow)]),
    ...(rehearsalScope(declared, { dry_run: true }) === 'read'
      ? [made('a rehearsal by whoever may read', 'answer', changed({ dry_run: true }), 'read')]
      : []),
  ];
}

/** The example of an operation, of what is there. */
export async function exampleInput(operation: keyof typeof OPERATIONS, world: World): Promise<Input> {
  const [noun] = operation.split('.');
  const input: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(OPERATIONS[operation].example.input)) {
    const there = VALUES[`${operation}.${field}`] ?? VALUES[`${noun}.${field}`] ?? VALUES[field];
    input[field] = there === undefined ? value : await there(world);
  }
  return input;
}

/** `shop` → `shp`: never the same, as swapped letters may be. */
function slipped(text: string): string {
  return `${text.slice(0, -2)}${text.slice(-1)}`;
}

function otherType({ type }: JsonSchema): unknown {
  if (type === 'number' || type === 'integer' || type === 'boolean') return 'soon';
  return type === 'object' ? 'text' : 7;
}

async function without({ owner }: World): Promise<void> {
  await owner.service.delete({ name: 'extra' }).catch(() => {});
}
