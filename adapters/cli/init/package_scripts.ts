/**
 * From the scripts of a package.json.
 */
import { CannotConvert, type Draft, renamed, safeName } from './draft.ts';

/** The scripts that keep something running, the best first. */
const STARTING = ['start', 'serve', 'dev'] as const;

/**
 * A service that runs the start script of a package.
 *
 * @param folder what the service is to be called where the package has no name.
 * @throws {@link CannotConvert}
 */
export function fromPackage(text: string, folder: string): Draft {
  const data = parsed(text);
  const { scripts = {}, name = folder } = data;
  const script = STARTING.find((candidate) => typeof scripts[candidate] === 'string');
  if (script === undefined) {
    throw new CannotConvert(
      `package.json has no script that keeps something running: ${STARTING.join(', ')}`,
    );
  }
  const own = name.replace(/^@[^/]*\//, '');
  const service = safeName(own, new Set());
  const others = Object.keys(scripts).filter((other) => other !== script && !/^(pre|post)/.test(other));
  const remarks = [
    ...renamed(own, service),
    `it is what npm run ${script} does: ${scripts[script]}`,
    ...(others.length > 0 ? [`other scripts were left out: ${others.join(', ')}`] : []),
  ];
  const fields = { process: true, run: ['npm', 'run', '--silent', script] };
  return {
    remarks: [],
    services: [{ name: service, remarks, actions: [{ name: 'main', fields, remarks: [] }] }],
  };
}

interface Package {
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

function parsed(text: string): Package {
  try {
    const data: unknown = JSON.parse(text);
    if (typeof data === 'object' && data !== null) return data;
  } catch {
    // Told below.
  }
  throw new CannotConvert('package.json is no JSON object');
}
