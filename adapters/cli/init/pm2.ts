/**
 * From a pm2 ecosystem file, which was evaluated by somebody else: here it is plain data.
 */
import { isAbsolute } from 'node:path';
import { parseDuration } from '../../../core/spec/mod.ts';
import { CannotConvert, type Draft, type DraftService, renamed, safeName } from './draft.ts';

type App = Readonly<Record<string, unknown>>;

/** How long pm2 waits after its signal, ms. */
const KILL_TIMEOUT = 1600;

const INTERPRETERS: readonly (readonly [RegExp, string])[] = [
  [/\.(c|m)?js$/, 'node'],
  [/\.py$/, 'python3'],
  [/\.rb$/, 'ruby'],
  [/\.pl$/, 'perl'],
  [/\.php$/, 'php'],
  [/\.sh$/, 'bash'],
];

/** What pm2 does and upkeep has another way for, or none. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  watch: 'it is not restarted when files change (watch)',
  max_memory_restart: 'no limit of its memory is kept (max_memory_restart): an exec health check can',
  cron_restart: 'it is not restarted by the clock (cron_restart)',
  wait_ready: 'it does not say by itself that it is ready (wait_ready): its ports and health checks do',
  exp_backoff_restart_delay: 'pauses between tries grow in upkeep anyway (exp_backoff_restart_delay)',
  out_file: 'its output goes to the state folder: upkeep logs (out_file)',
  error_file: 'its errors go to the state folder: upkeep logs (error_file)',
  log_file: 'its output goes to the state folder: upkeep logs (log_file)',
  log_date_format:
    'lines get no time of their own (log_date_format); upkeep logs --since knows it all the same',
  uid: 'it runs as whoever runs upkeep (uid)',
  user: 'it runs as whoever runs upkeep (user)',
};

/**
 * A service for each app of an ecosystem file.
 *
 * @throws {@link CannotConvert}
 */
export function fromEcosystem(data: unknown): Draft {
  const apps = Array.isArray(data) ? data : (data as { apps?: unknown } | null)?.apps;
  if (!Array.isArray(apps)) throw new CannotConvert('the ecosystem file has no list of apps');
  const taken = new Set<string>();
  const deploy = (data as { deploy?: unknown }).deploy !== undefined;
  return {
    remarks: deploy ? ['upkeep does not deploy: that part was left out'] : [],
    services: apps.map((app: unknown, index) => {
      if (typeof app !== 'object' || app === null) throw new CannotConvert(`app ${index + 1} is no object`);
      return serviceOf(app as App, index, taken);
    }),
  };
}

function serviceOf(app: App, index: number, taken: Set<string>): DraftService {
  const script = text(app['script']);
  if (script === null) throw new CannotConvert(`app ${index + 1} has no script`);
  const wanted = text(app['name']) ?? script.replace(/^.*\//, '').replace(/\.\w+$/, '');
  const name = safeName(wanted, taken);
  const instances = app['instances'];
  const several = instances !== undefined && Number(instances) !== 1;
  const environments = Object.keys(app).filter((key) => /^env_./.test(key));
  const cut = typeof app['env'] === 'object' && app['env'] !== null ? Object.keys(app['env']) : [];
  const unusable = cut.filter((key) => !isVariable(key));
  const remarks = [
    ...renamed(wanted, name),
    ...(several || app['exec_mode'] === 'cluster'
      ? [
          `one process is started, not ${String(instances ?? 'a cluster')} behind one port (instances, exec_mode)`,
        ]
      : []),
    ...environments.map((key) => `variables of another environment were left out (${key})`),
    ...unusable.map((key) => `the variable ${JSON.stringify(key)} cannot be set`),
    ...Object.entries(LEFT_OUT)
      .filter(([key]) => app[key] !== undefined && app[key] !== false)
      .map(([, remark]) => remark),
  ];
  const port = portOf(app);
  const fields = {
    process: true,
    run: command(app, script),
    ...(text(app['cwd']) === null ? {} : { cwd: text(app['cwd']) }),
    ...environment(app['env']),
    ...(port === null ? {} : { tcp_ports: [port] }),
    ...restart(app),
    // What pm2 sends.
    stop: { signal: 'SIGINT', timeout: `${ms(app['kill_timeout']) ?? KILL_TIMEOUT}ms` },
  };
  if (port !== null) remarks.push(`it is taken to listen on ${port}, as its PORT says`);
  return { name, remarks, actions: [{ name: 'main', fields, remarks: [] }] };
}

function command(app: App, script: string): string[] {
  const interpreter =
    text(app['interpreter'] ?? app['exec_interpreter']) ??
    INTERPRETERS.find(([form]) => form.test(script))?.[1] ??
    null;
  const own = [...words(app['interpreter_args'] ?? app['node_args'])];
  const program = interpreter === 'none' ? null : interpreter;
  if (program === null && !script.includes('/') && !isAbsolute(script)) {
    // pm2 takes a command as a script too.
    return [...words(script), ...words(app['args'])];
  }
  return [...(program === null ? [] : [program, ...own]), script, ...words(app['args'])];
}

function restart(app: App): object {
  const delay = ms(app['restart_delay']);
  const most = count(app['max_restarts']);
  const stable = ms(app['min_uptime']);
  const fields = {
    ...(app['autorestart'] === false ? { policy: 'never' } : {}),
    ...(delay === null ? {} : { delay: `${delay}ms` }),
    ...(stable === null ? {} : { stable_after: `${stable}ms` }),
    ...(most === null ? {} : { max_attempts: most }),
  };
  return Object.keys(fields).length === 0 ? {} : { restart: fields };
}

function environment(env: unknown): object {
  if (typeof env !== 'object' || env === null) return {};
  const entries = Object.entries(env).filter(([key, value]) => isVariable(key) && value !== undefined);
  if (entries.length === 0) return {};
  return { env: Object.fromEntries(entries.map(([key, value]) => [key, wordOf(value)])) };
}

function isVariable(name: string): boolean {
  return /^(?!UPKEEP_)[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

function wordOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function portOf(app: App): number | null {
  const port = Number((app['env'] as Record<string, unknown> | undefined)?.['PORT']);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function words(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'string') return [];
  // As a shell would part them, quotes at the outside of a word only.
  return [...value.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

function count(value: unknown): number | null {
  const number = Number(value ?? Number.NaN);
  return Number.isInteger(number) && number >= 0 && number <= 1_000_000 ? number : null;
}

/** pm2 takes ms as a number, or `3s`, `1h`. */
function ms(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 ? value : null;
  if (typeof value !== 'string') return null;
  if (/^\d+$/.test(value)) return Number(value) || null;
  try {
    return parseDuration(value);
  } catch {
    return null;
  }
}
