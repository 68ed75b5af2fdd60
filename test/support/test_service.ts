/**
 * The service that tests run, as a service file declares it; what it does is told by its environment.
 */
import { fileURLToPath } from 'node:url';

/** Its program. */
export const SERVICE = fileURLToPath(new URL('../fixtures/service.mjs', import.meta.url));

/** An action that runs it: started again soon, and stable soon. */
export function testService(env: Record<string, string | number>, extra: object = {}): object {
  const strings = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  return {
    process: true,
    run: [process.execPath, SERVICE],
    env: strings,
    restart: { delay: '50ms', stable_after: '300ms' },
    stop: { timeout: '1s' },
    ...extra,
  };
}

/** The services of a file with one action. */
export const one = (action: object): object => ({ web: { actions: { main: action } } });
