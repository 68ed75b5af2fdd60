/**
 * The notifier interface, as core sees it: telling somebody of one event.
 */
import type { Host } from '../host/host.ts';
import type { EventRecord } from '../store/records.ts';
import type { NotifierPlugin, OptionsSchema } from './definition.ts';
import { hostContext } from './host_context.ts';
import { EVERYTHING, NOTHING } from './permissions.ts';

/** A way of telling somebody what happened. Core knows none by name. */
export interface Notifier {
  /** The `type` in the service file. */
  readonly name: string;
  readonly summary: string;
  readonly options: OptionsSchema;
  /**
   * Tells of one event.
   *
   * @param options checked, with defaults.
   * @throws where it could not be told: it is tried again then, but for an error by the name of `GiveUp`.
   */
  notify(event: EventRecord, options: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void>;
}

/** A notifier that runs in this process, with everything that it asks for. */
export function inProcessNotifier(plugin: NotifierPlugin, host: Host): Notifier {
  const asked = { ...NOTHING, ...plugin.permissions };
  return {
    name: plugin.name,
    summary: plugin.summary,
    options: plugin.options,
    async notify(event, options, signal) {
      const context = hostContext(host, { asked, granted: EVERYTHING, signal, log: () => {} });
      await plugin.notify(event, options, context);
    },
  };
}
