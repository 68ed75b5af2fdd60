/**
 * What a plugin of somebody else's was granted, as it is held against what it does.
 */
import type { Host } from '../../host/host.ts';
import type { PluginContext } from '../context.ts';
import { PermissionDenied, type Permissions } from '../permissions.ts';

/** With every symbolic link in `read` resolved too, as what is read is judged by where it really lies. */
export function realPermissions(permissions: Permissions, { files }: Host): Permissions {
  const real = permissions.read.flatMap((path) => {
    try {
      return [files.realpathSync(path)];
    } catch {
      // It is not there now; as it is written it counts all the same.
      return [];
    }
  });
  return { ...permissions, read: [...new Set([...permissions.read, ...real])] };
}

/** The same context. Tells of every wish that was not granted. */
export function countedContext(
  context: PluginContext,
  tell: (denied: PermissionDenied) => void,
): PluginContext {
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PermissionDenied) tell(error);
      throw error;
    }
  };
  return {
    ...context,
    run: (...args) => told(() => context.run(...args)),
    readFile: (...args) => told(() => context.readFile(...args)),
    stat: (...args) => told(() => context.stat(...args)),
    connect: (...args) => told(() => context.connect(...args)),
    fetch: (...args) => told(() => context.fetch(...args)),
  };
}
