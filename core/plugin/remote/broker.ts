/**
 * Carries out what a plugin asks for while it answers a call: each wish is read as a stranger's, held against what was
 * granted, and done by {@link hostContext}.
 */
import * as v from 'valibot';
import type { Connection } from '../../host/host.ts';
import type { PluginContext } from '../context.ts';
import type { Incoming } from './rpc.ts';

/** Bytes of an output or a body that go to a plugin. */
const LARGEST = 4 * 1024 * 1024;
/** Ms that a program or a request may take. */
const LONGEST = 10 * 60_000;
/** Connections that one call may have open. */
const MOST_CONNECTIONS = 16;

const text = v.pipe(
  v.string(),
  v.maxLength(64 * 1024),
  v.check((value) => !value.includes('\0')),
);
const path = v.pipe(text, v.minLength(1), v.startsWith('/', 'must be absolute'));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const timeout = v.exactOptional(v.pipe(v.number(), v.minValue(1), v.maxValue(LONGEST)));
const bytes = v.pipe(count, v.maxValue(LARGEST));

// Which of them would make a grant one for any program is for the context to say.
const environment = v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), text);

const target = v.union([
  v.strictObject({ path }),
  v.strictObject({ host: text, port: v.pipe(count, v.maxValue(65_535)) }),
]);

/** The arguments of each wish. */
const WISHES = {
  run: v.strictTuple([
    text,
    v.pipe(v.array(text), v.maxLength(1_000)),
    v.strictObject({
      timeout,
      max_output: v.exactOptional(bytes),
      cwd: v.exactOptional(path),
      env: v.exactOptional(environment),
    }),
  ]),
  read_file: v.strictTuple([path]),
  stat: v.strictTuple([path]),
  connect: v.strictTuple([target]),
  fetch: v.strictTuple([
    text,
    v.strictObject({
      method: v.exactOptional(v.pipe(text, v.regex(/^[A-Za-z]{1,20}$/))),
      headers: v.exactOptional(v.record(v.string(), text)),
      body: v.exactOptional(v.string()),
      socket: v.exactOptional(path),
      insecure: v.exactOptional(v.boolean()),
      max_body: v.exactOptional(bytes),
      timeout,
    }),
  ]),
  read_log: v.strictTuple([v.pipe(v.number(), v.finite())]),
  write: v.strictTuple([count, v.string()]),
  read: v.strictTuple([count]),
  close: v.strictTuple([count]),
} as const;

type Wish = keyof typeof WISHES;

/** What a call's context is made of. */
export interface BrokerContext {
  readonly context: PluginContext;
  /** Null where the call is about no job. */
  readonly readLog: ((since: number) => Promise<readonly string[]>) | null;
}

/** Serves the wishes of one call. */
export class Broker {
  readonly #context: PluginContext;
  readonly #readLog: BrokerContext['readLog'];
  readonly #connections = new Map<number, Connection>();
  #last = 0;
  #closed = false;

  constructor({ context, readLog }: BrokerContext) {
    this.#context = context;
    this.#readLog = readLog;
  }

  /** @throws where it is not granted, cannot be done, or is no wish. */
  async serve({ method, args }: Pick<Incoming, 'method' | 'args'>): Promise<unknown> {
    const context = this.#context;
    switch (method as Wish) {
      case 'run': {
        const [program, words, options] = wish('run', args);
        return await context.run(program, words, options);
      }
      case 'read_file':
        return await context.readFile(...wish('read_file', args));
      case 'stat':
        return await context.stat(...wish('stat', args));
      case 'connect':
        return await this.#connect(...wish('connect', args));
      case 'fetch':
        return await context.fetch(...wish('fetch', args));
      case 'read_log':
        if (this.#readLog === null) throw new TypeError('this call is about no job');
        return await this.#readLog(...wish('read_log', args));
      case 'write': {
        const [id, data] = wish('write', args);
        return await this.#connection(id).write(Buffer.from(data, 'base64'));
      }
      case 'read': {
        const data = await this.#connection(...wish('read', args)).read();
        return data === null ? null : Buffer.from(data).toString('base64');
      }
      case 'close':
        return await this.#connection(...wish('close', args)).close();
      default:
        throw new TypeError(`there is no '${method}'`);
    }
  }

  /** The call is over: what it left open is closed. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) void connection.close();
    this.#connections.clear();
  }

  async #connect(to: Parameters<PluginContext['connect']>[0]): Promise<number> {
    if (this.#last >= MOST_CONNECTIONS) throw new Error(`a call may connect ${MOST_CONNECTIONS} times`);
    this.#last += 1;
    const id = this.#last;
    const connection = await this.#context.connect(to);
    if (this.#closed) await connection.close();
    else this.#connections.set(id, connection);
    return id;
  }

  #connection(id: number): Connection {
    const connection = this.#connections.get(id);
    if (connection === undefined) throw new TypeError('there is no such connection');
    return connection;
  }
}

function wish<W extends Wish>(name: W, args: readonly unknown[]): v.InferOutput<(typeof WISHES)[W]> {
  const parsed = v.safeParse(WISHES[name], args);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new TypeError(`Cannot call ctx.${name}: ${issue.message}`);
}
