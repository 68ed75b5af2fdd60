/**
 * A plugin in a process of its own, as the rest of upkeep sees it: calls go in, answers that were checked come out,
 * and whatever it does wrong is counted, ends its process, and after some times the plugin.
 */
import * as v from 'valibot';
import type { Channel, Host } from '../../host/host.ts';
import { type Reason, reason } from '../../job/reason.ts';
import type { PluginContext } from '../context.ts';
import { hostContext } from '../host_context.ts';
import type { Permissions } from '../permissions.ts';
import { descriptionSchema } from './answer_schemas.ts';
import type { PluginDescription } from './boot.ts';
import { countedContext, realPermissions } from './grants.ts';
import { type FaultKind, Link, PluginFault } from './link.ts';

/** How a plugin is. */
export type PluginState =
  /** Its process is on its way, or it has not said yet what it is. */
  | 'starting'
  | 'ready'
  /** It cannot be loaded, for now. */
  | 'failed'
  /** It was at fault too often in a row, and is left alone until the service file is read again. */
  | 'quarantined';

/** What a plugin needs of whoever starts its process. */
export interface RemotePluginPorts {
  readonly host: Host;
  /** Ends its process, to be started again. */
  restart(why: Reason, fault: FaultKind): void;
  /** Ends its process for good. */
  quarantine(why: Reason): void;
  /** Its process is being ended because somebody asked for it. */
  isBeingStopped(): boolean;
  /** It is ready, and says what it is. */
  described(description: PluginDescription): void;
}

/** How a call is made. */
export interface PluginCall {
  /** Ms. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  readonly readLog?: (since: number) => Promise<readonly string[]>;
}

/** Ms that a plugin's process may take until it can say what it is. */
const LOAD_DEADLINE = 10_000;
/** Ms that a plugin that is asked nothing may take to show that it lives. */
const PING_DEADLINE = 5_000;
/** Calls under way at once. */
const MOST_CALLS = 4;
/** Calls that wait for one of those, or for the process. */
const MOST_WAITING = 256;
/** Faults in a row after which a plugin is left alone. */
const MOST_FAULTS = 5;

/** It cannot be asked now. */
export class PluginUnavailable extends Error {
  override readonly name = 'PluginUnavailable';
}

/** See the top of this file. */
export class RemotePlugin {
  /** How it is called in messages: by its file. */
  readonly label: string;
  readonly #ports: RemotePluginPorts;
  #granted: Permissions;
  #asked: Permissions;
  #description: PluginDescription | null;
  #state: PluginState = 'starting';
  #link: Link | null = null;
  #underWay = 0;
  #waiting: (() => void)[] = [];
  #faultsInRow = 0;
  /** Counted since upkeep started. */
  calls = 0;
  faults = 0;
  denied = 0;
  last_error: string | null = null;
  last_call_ms: number | null = null;

  constructor(
    label: string,
    description: PluginDescription | null,
    granted: Permissions,
    ports: RemotePluginPorts,
  ) {
    this.label = label;
    this.#description = description;
    this.#asked = realPermissions(description?.asked ?? { run: [], read: [], net: [] }, ports.host);
    this.#granted = realPermissions(granted, ports.host);
    this.#ports = ports;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** What it says that it is; null while it never could. */
  get description(): PluginDescription | null {
    return this.#description;
  }

  /** Why it cannot be asked; null where it can, or will be able to soon. */
  get unavailable(): string | null {
    if (this.#state !== 'failed' && this.#state !== 'quarantined') return null;
    return `the plugin ${this.label} is ${this.#state === 'failed' ? 'not loaded' : 'quarantined'}: ${this.last_error ?? 'unknown'}`;
  }

  /** The service file was read again: what went before is forgiven. */
  renew(description: PluginDescription | null, granted: Permissions): void {
    this.#granted = realPermissions(granted, this.#ports.host);
    if (description !== null) this.#learn(description);
    this.#faultsInRow = 0;
    if (this.#state === 'quarantined' || this.#state === 'failed') this.#state = 'starting';
  }

  /** A new incarnation of its process has been started. */
  connected(channel: Channel): void {
    this.#link?.close(new PluginUnavailable(`the plugin ${this.label} was started again`));
    const link = new Link(channel, this.#ports.host.clock, (fault) => this.#ended(link, fault));
    this.#link = link;
    void this.#meet(link);
  }

  /**
   * Calls the plugin and checks its answer.
   *
   * @throws {@link PluginUnavailable}, a {@link PluginFault}, a `RemoteError` that the plugin threw, or the signal's
   *   reason where it aborts before the plugin was asked.
   */
  async call<T>(
    method: string,
    args: readonly unknown[],
    schema: v.GenericSchema<unknown, T>,
    { deadline, signal, readLog }: PluginCall,
  ): Promise<T> {
    const link = await this.#turn(signal);
    const { clock } = this.#ports.host;
    const begun = clock.mono();
    this.calls += 1;
    try {
      const answer = await link.call(method, args, {
        ...(deadline === undefined ? {} : { deadline }),
        ...(signal === undefined ? {} : { signal }),
        broker: (until) => ({ context: this.#context(until), readLog: readLog ?? null }),
      });
      const parsed = v.safeParse(schema, answer);
      if (!parsed.success) {
        const [issue] = parsed.issues;
        const where = v.getDotPath(issue);
        const message = `answers '${method}' with nonsense: ${where === null ? '' : `${where}: `}${issue.message}`;
        const fault = new PluginFault('nonsense', message);
        link.fail(fault);
        throw fault;
      }
      this.#faultsInRow = 0;
      return parsed.output;
    } catch (error) {
      if (!(error instanceof PluginFault || error instanceof PluginUnavailable)) {
        // It answered, if only that it could not.
        this.#faultsInRow = 0;
        this.last_error = (error as Error).message;
      }
      throw error;
    } finally {
      this.last_call_ms = clock.mono() - begun;
      this.#underWay -= 1;
      this.#next();
    }
  }

  /** Finds out whether it still answers, where nobody asks it anything: one that hangs takes a whole processor. */
  async ping(): Promise<void> {
    if (this.#link === null || this.#state !== 'ready' || this.#underWay > 0) return;
    try {
      await this.#link.call('describe', [], { deadline: PING_DEADLINE });
    } catch {
      // What follows of it has followed.
    }
  }

  /** It is not to be asked any more. */
  close(): void {
    this.#link?.close(new PluginUnavailable(`the plugin ${this.label} was stopped`));
    this.#link = null;
    this.#next();
  }

  /** Waits until the process is ready and there is room for one more call. */
  async #turn(signal: AbortSignal | undefined): Promise<Link> {
    for (;;) {
      signal?.throwIfAborted();
      const { unavailable } = this;
      if (unavailable !== null) throw new PluginUnavailable(unavailable);
      if (this.#link !== null && this.#state === 'ready' && this.#underWay < MOST_CALLS) {
        this.#underWay += 1;
        return this.#link;
      }
      if (this.#waiting.length >= MOST_WAITING) {
        throw new PluginUnavailable(`the plugin ${this.label} has too many calls waiting`);
      }
      await new Promise<void>((resolve) => {
        const go = (): void => {
          signal?.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          this.#waiting = this.#waiting.filter((other) => other !== go);
          resolve();
        };
        this.#waiting.push(go);
        signal?.addEventListener('abort', leave, { once: true });
      });
    }
  }

  /** Whoever waits looks again. Those who still have to wait come after those who came later; all get their turn. */
  #next(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Asks a new process what it is. */
  async #meet(link: Link): Promise<void> {
    try {
      const said = await link.call('describe', [], { deadline: LOAD_DEADLINE });
      if (link !== this.#link) return;
      const parsed = v.safeParse(descriptionSchema, said);
      const known = this.#description;
      if (!parsed.success) link.fail(new PluginFault('nonsense', 'says nonsense of itself'));
      else if (known !== null && (known.kind !== parsed.output.kind || known.name !== parsed.output.name)) {
        const { kind, name } = parsed.output;
        const message = `says that it is ${kind} ${name}, and was ${known.kind} ${known.name} before`;
        link.fail(new PluginFault('nonsense', message));
      } else {
        this.#learn(parsed.output);
        this.#state = 'ready';
        this.#ports.described(parsed.output);
        this.#next();
      }
    } catch (error) {
      // A fault was dealt with where the link ended.
      if (error instanceof PluginFault || error instanceof PluginUnavailable) return;
      this.#fail(link, `cannot be loaded: ${(error as Error).message}`);
    }
  }

  /** It said why it cannot work: nobody is to wait for it, though it is tried again. */
  #fail(link: Link, message: string): void {
    link.fail(new PluginFault('crash', message));
    if (this.#state === 'starting') this.#state = 'failed';
    this.#next();
  }

  #learn(description: PluginDescription): void {
    this.#description = description;
    this.#asked = realPermissions(description.asked, this.#ports.host);
  }

  #ended(link: Link, fault: PluginFault): void {
    if (link !== this.#link) return;
    this.#link = null;
    if (this.#state === 'ready') this.#state = 'starting';
    if (fault.kind === 'crash' && this.#ports.isBeingStopped()) return;
    this.faults += 1;
    this.#faultsInRow += 1;
    this.last_error = fault.message;
    const evidence = { plugin: this.label, fault: fault.kind, faults_in_row: this.#faultsInRow };
    const message = `the plugin ${this.label} ${fault.message}`;
    if (this.#faultsInRow < MOST_FAULTS) {
      this.#ports.restart(reason('PLUGIN_FAILED', message, evidence), fault.kind);
      return;
    }
    this.#state = 'quarantined';
    const said = `${message}; that was the ${MOST_FAULTS}th fault in a row, so it is left alone until the service file is read again`;
    this.#ports.quarantine(reason('PLUGIN_QUARANTINED', said, evidence));
    this.#next();
  }

  #context(signal: AbortSignal): PluginContext {
    return countedContext(
      hostContext(this.#ports.host, { asked: this.#asked, granted: this.#granted, signal, log: () => {} }),
      (denied) => {
        this.denied += 1;
        this.last_error = denied.message;
      },
    );
  }
}
