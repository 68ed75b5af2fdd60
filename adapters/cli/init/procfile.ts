/**
 * From a Procfile, as foreman and Heroku read it.
 */
import { CannotConvert, type Draft, renamed, safeName } from './draft.ts';

/** The port that foreman gives to the first process; each further one gets it 100 higher. */
const FIRST_PORT = 5000;
const PORT_STEP = 100;

/**
 * A service for each process of a Procfile.
 *
 * @param hasEnvFile whether a `.env` stands beside it, which foreman reads.
 * @throws {@link CannotConvert}
 *
 * @example
 * ```ts
 * fromProcfile('web: node server.js\n', false).services[0]?.name; // 'web'
 * ```
 */
export function fromProcfile(text: string, hasEnvFile: boolean): Draft {
  const taken = new Set<string>();
  const services = text.split(/\r?\n/).flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [, wanted, command] = /^\s*([A-Za-z0-9_-]+):\s*(.+?)\s*$/.exec(line) ?? [];
    if (wanted === undefined || command === undefined) {
      throw new CannotConvert(`line ${index + 1} of the Procfile is no 'name: command'`);
    }
    return [{ wanted, command, name: safeName(wanted, taken) }];
  });
  return {
    remarks: [],
    services: services.map(({ wanted, command, name }, index) => {
      const isRelease = wanted === 'release';
      const port = FIRST_PORT + index * PORT_STEP;
      const usesPort = /\$(PORT\b|\{PORT\b)/.test(command);
      const remarks = [
        ...renamed(wanted, name),
        ...(isRelease
          ? ['release runs once; services do not wait for each other, so nothing waits for it']
          : []),
        ...(usesPort ? [`its port is the one that foreman would give it: ${port}`] : []),
      ];
      const fields = {
        ...(isRelease ? {} : { process: true }),
        run: command,
        ...(hasEnvFile ? { env_file: '.env' } : {}),
        ...(usesPort ? { env: { PORT: String(port) } } : {}),
        ...(usesPort && !isRelease ? { tcp_ports: [port] } : {}),
      };
      return { name, remarks, actions: [{ name: 'main', fields, remarks: [] }] };
    }),
  };
}
