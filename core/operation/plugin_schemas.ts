/**
 * The schema of plugins, held to their TypeScript record by the compiler.
 */
import * as v from 'valibot';
import { PLUGIN_KINDS } from '../plugin/definition.ts';
import type { PluginRecord } from '../plugin/remote/plugin_record.ts';
import { described, named } from './described.ts';
import { count, pid, text } from './view_parts.ts';

const permissions = v.object({
  run: described('Programs that may be run.', v.array(v.string())),
  read: described('Files and folders that may be read.', v.array(v.string())),
  net: described('Addresses that may be connected to.', v.array(v.string())),
});

/** A {@link PluginRecord}. */
export const pluginSchema: v.GenericSchema<PluginRecord> = named(
  'Plugin',
  'A probe, health check, log rotator or notifier: what it is, what it may touch, how it does.',
  v.object({
    name: described('Its name; null where it never could say.', text),
    kind: described('What it is; null where it never could say.', v.nullable(v.picklist(PLUGIN_KINDS))),
    source: described('`built_in`, or its path as in the service file.', v.string()),
    service: described('The service that its process is; null where it has none.', text),
    api: described('The version of the interface that it was written for.', v.nullable(v.number())),
    summary: described('What it is for, one sentence.', v.string()),
    asked: described('What it asks for.', permissions),
    granted: described('What it is granted.', permissions),
    missing: described('What it asks for and is not granted, as `run: ss`.', v.array(v.string())),
    not_enforced: described('What Node cannot keep it from, a sentence each.', v.array(v.string())),
    state: described(
      'How it is. A quarantined one failed too often and is left alone.',
      v.picklist(['built_in', 'starting', 'ready', 'failed', 'quarantined']),
    ),
    pid,
    restart_count: described('How often its process was started again.', count),
    calls: described('How often it was asked since upkeep has started.', count),
    faults: described('How often it failed since upkeep has started.', count),
    denied: described('Wishes of it that were not granted, since upkeep has started.', count),
    last_error: described('Its last failure; null where there was none.', text),
    last_call_ms: described('How long its last call took, ms.', v.nullable(v.number())),
  }),
);
