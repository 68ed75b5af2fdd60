/**
 * A plugin's process for one conversation, which nobody starts again.
 */
import type { Channel, Host } from '../../host/host.ts';
import { onceRequest } from './runtime.ts';

/** A process that is asked and then ended. */
export interface OnceProcess {
  readonly channel: Channel;
  /** Ends it, if it is still the same process. */
  end(): void;
}

/**
 * Starts one; what it prints goes nowhere.
 *
 * @throws an `ErrnoException` where it cannot be started.
 */
export async function startOnce(host: Host, command: readonly string[]): Promise<OnceProcess> {
  const { files, spawner, processes } = host;
  const nowhere = files.openSync('/dev/null', 'w');
  try {
    const child = await spawner.spawn(onceRequest(command, nowhere));
    const identity = processes.identity(child.pid);
    if (child.channel === undefined) throw new Error('its process has no channel');
    return {
      channel: child.channel,
      end: () => {
        if (identity !== null) processes.signal(identity, 'SIGKILL');
      },
    };
  } finally {
    files.closeSync(nowhere);
  }
}
