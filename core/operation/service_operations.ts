/**
 * Operations on services.
 */
import * as v from 'valibot';
import { nearest } from '../spec/nearest.ts';
import type { Actor } from '../store/records.ts';
import { type Control, NotFound, type ServiceView } from '../supervisor/control.ts';
import { described } from './described.ts';
import { OperationError } from './error.ts';
import { exampleService, exampleWhy } from './examples.ts';
import { flagField, nameField } from './fields.ts';
import { defineCall } from './operation.ts';
import { cursorField, limitField, type Page, type PageQuery, page, pageSchema } from './page.ts';
import { serviceSchema } from './service_schemas.ts';
import { whySchema } from './why_schemas.ts';

/** How long a command waits where it is asked to wait and not told how long, ms. */
export const DEFAULT_WAIT = 60_000;

const serviceName = described('The name of the service.', nameField);

const oneService = v.strictObject({ name: serviceName });

const commanded = v.strictObject({
  name: serviceName,
  wait: v.exactOptional(described('True to answer only when the service is where it is wanted.', flagField)),
  timeout: v.exactOptional(
    v.pipe(
      v.number('must be a number of milliseconds'),
      v.minValue(0, 'must be 0 or more'),
      v.maxValue(86_400_000, 'must be a day or less'),
      v.description(`How long to wait for that, ms; ${DEFAULT_WAIT} where it is not given.`),
    ),
  ),
});

const commandOutcome = v.object({
  service: serviceSchema,
  settled: described(
    'Whether it got where it is wanted in time; null where nobody waited.',
    v.nullable(v.boolean()),
  ),
});

/** Every service, by name. */
export const serviceList = defineCall({
  name: 'service.list',
  kind: 'query',
  summary: 'List every service with its state and its actions.',
  input: v.strictObject({ limit: v.exactOptional(limitField), cursor: v.exactOptional(cursorField) }),
  output: pageSchema(serviceSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: {}, output: { items: [exampleService], next_cursor: null } },
  run: (control, input) => servicePage(control.services(), input),
});

/** One service. */
export const serviceGet = defineCall({
  name: 'service.get',
  kind: 'query',
  summary: 'Show one service with its state and its actions.',
  input: oneService,
  output: serviceSchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { name: 'shop' }, output: exampleService },
  run: (control, { name }) => knownService(control, name),
});

/** Wants a service up. */
export const serviceStart = defineCall({
  name: 'service.start',
  kind: 'command',
  summary: 'Want a service up: start what of it does not run, and keep it up from now on.',
  input: commanded,
  output: commandOutcome,
  errors: ['not_found', 'unavailable'],
  idempotent: true,
  destructive: false,
  scope: 'operate',
  example: {
    input: { name: 'shop', wait: true, timeout: 30_000 },
    output: { service: exampleService, settled: true },
  },
  run: (control, input, context) => command(control, 'start', input, context.actor),
});

/** Wants a service down. */
export const serviceStop = defineCall({
  name: 'service.stop',
  kind: 'command',
  summary: 'Want a service down: stop everything of it, and leave it down from now on.',
  input: commanded,
  output: commandOutcome,
  errors: ['not_found', 'unavailable'],
  idempotent: true,
  destructive: true,
  scope: 'operate',
  example: {
    input: { name: 'shop' },
    output: { service: { ...exampleService, wanted: 'down', state: 'stopping' }, settled: null },
  },
  run: (control, input, context) => command(control, 'stop', input, context.actor),
});

/** Gives each process of a service a fresh incarnation. */
export const serviceRestart = defineCall({
  name: 'service.restart',
  kind: 'command',
  summary: 'Stop each process of a service and start it again, in the same run and the same jobs.',
  input: commanded,
  output: commandOutcome,
  errors: ['not_found', 'unavailable'],
  idempotent: false,
  destructive: true,
  scope: 'operate',
  example: {
    input: { name: 'shop', wait: true },
    output: { service: exampleService, settled: true },
  },
  run: (control, input, context) => command(control, 'restart', input, context.actor),
});

/** Why a service is as it is. */
export const serviceWhy = defineCall({
  name: 'service.why',
  kind: 'query',
  summary:
    'Explain why a service is as it is: causes, evidence, last log lines, events, the safest next step.',
  input: oneService,
  output: whySchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { name: 'shop' }, output: exampleWhy },
  run: (control, { name }) => {
    knownService(control, name);
    return control.why(name);
  },
});

/** The pages of frozen lists, from their begin: asked for again and again by whoever watches. */
const firstPages = new WeakMap<readonly ServiceView[], Page<ServiceView>>();

/** A page of services. The first one of a frozen list is frozen too, and made once. */
function servicePage(services: readonly ServiceView[], query: PageQuery): Page<ServiceView> {
  const make = (): Page<ServiceView> => page(services, (service) => service.name, query);
  if (query.cursor !== undefined || query.limit !== undefined || !Object.isFrozen(services)) return make();
  const known = firstPages.get(services) ?? Object.freeze(make());
  firstPages.set(services, known);
  return known;
}

/** A service by its name. @throws {@link OperationError} with the name that was probably meant. */
export function knownService(control: Control, name: string): ServiceView {
  try {
    return control.service(name);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    const suggestion = nearest(
      name,
      control.services().map((service) => service.name),
    );
    throw new OperationError(
      'not_found',
      suggestion === null ? `no service '${name}'` : `no service '${name}'; did you mean '${suggestion}'?`,
      suggestion === null ? {} : { suggestion },
    );
  }
}

async function command(
  control: Control,
  verb: 'start' | 'stop' | 'restart',
  { name, wait = false, timeout = DEFAULT_WAIT }: v.InferOutput<typeof commanded>,
  actor: Actor,
): Promise<v.InferOutput<typeof commandOutcome>> {
  knownService(control, name);
  const service = control[verb](name, actor);
  if (!wait) return { service, settled: null };
  const settled = await control.settled(name, timeout);
  return { service: control.service(name), settled };
}
