/**
 * The service file in force: read at the start, on SIGHUP, or changed through upkeep, and taken over.
 */
import { learnSecrets } from '../access/redacted.ts';
import type { Redactor } from '../access/redactor.ts';
import { Lane } from '../host/lane.ts';
import type { Notifications } from '../notify/mod.ts';
import type { PluginHost } from '../plugin/remote/plugin_host.ts';
import type { ProbeHost } from '../reclaim/mod.ts';
import type { SpecIssue } from '../spec/mod.ts';
import type { Fleet } from './fleet.ts';
import type { JobLoop } from './job_loop.ts';
import type { SupervisorOptions } from './options.ts';
import type { Origin } from './runtime.ts';
import { type CheckedFile, readServiceFile, SpecError } from './service_file.ts';

/** Everything that goes by the service file. */
export interface SpecInForcePorts {
  readonly options: SupervisorOptions;
  readonly plugins: PluginHost;
  readonly probes: ProbeHost;
  readonly notifications: Notifications;
  readonly redactor: Redactor;
  readonly fleet: Fleet;
  readonly loop: JobLoop;
}

/** See the top of this file. */
export class SpecInForce {
  readonly #ports: SpecInForcePorts;
  readonly #lane = new Lane(1);
  #current: CheckedFile;

  /** @param first the file to be taken over first. */
  constructor(ports: SpecInForcePorts, first: CheckedFile) {
    this.#ports = ports;
    this.#current = first;
  }

  /** The file as it was last taken over. */
  get current(): CheckedFile {
    return this.#current;
  }

  /** Runs what reads, or changes, the file: one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#lane.run(work);
  }

  /** Takes over a file: the records first, then what follows of them, after `between`. */
  async takeOver(
    checked: CheckedFile,
    origin: Origin,
    between: () => Promise<void> = async () => {},
  ): Promise<void> {
    const { options, plugins, probes, notifications, redactor, fleet } = this.#ports;
    this.#current = checked;
    const { file, plugins: loaded } = checked;
    const own = plugins.adopt(loaded, file);
    probes.configure(file.probes);
    notifications.apply(file.notify);
    learnSecrets(redactor, file, options.host.files);
    fleet.adopt({ ...file, services: { ...file.services, ...own } });
    await between();
    fleet.enact(origin);
    plugins.begin();
  }

  /**
   * Reads the file anew and takes it over.
   *
   * @returns what is wrong with it; then nothing has changed. Null where it was taken over, or upkeep is going down.
   */
  reload(origin: Origin): Promise<SpecIssue[] | null> {
    const { options, loop } = this.#ports;
    return this.inTurn(async () => {
      try {
        const read = await readServiceFile(options);
        // Loading plugins takes its time, in which upkeep may have begun to go down.
        if (!loop.halting) await this.takeOver(read, origin);
        return null;
      } catch (error) {
        if (error instanceof SpecError) return [...error.issues];
        throw error;
      }
    });
  }
}
