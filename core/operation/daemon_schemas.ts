/**
 * The schema of how upkeep itself is, held to its TypeScript record by the compiler.
 */
import * as v from 'valibot';
import type { DaemonHealth } from '../supervisor/control.ts';
import { described, named } from './described.ts';
import { count, reasonSchema, text, time } from './view_parts.ts';

/** A {@link DaemonHealth}. */
export const healthSchema: v.GenericSchema<DaemonHealth> = named(
  'DaemonHealth',
  'How upkeep itself is.',
  v.object({
    status: described('`degraded` where its store fails; services go on.', v.picklist(['ok', 'degraded'])),
    version: described('The version of upkeep.', v.string()),
    pid: described("upkeep's own process id.", count),
    instance: described("The short name of the state folder, which marks upkeep's processes.", v.string()),
    state_dir: described('The state folder.', v.string()),
    spec_file: described('The service file; null where there is none.', text),
    started_at: described('When upkeep started, ms since 1970.', time),
    read_only: described(
      'Whether every command is refused, as upkeep was started with --read-only.',
      v.boolean(),
    ),
    store: described('What is wrong with the store; null where nothing is.', v.nullable(reasonSchema)),
  }),
);
