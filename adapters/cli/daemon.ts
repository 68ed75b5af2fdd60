/**
 * upkeep itself: the supervisor with the built-in plugins, HTTP on its socket, and the signals that it answers to.
 */
import { write } from 'node:fs';
import { promisify } from 'node:util';
import type { Host } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import { formatIssues } from '../../core/spec/issue.ts';
import type { EventRecord } from '../../core/store/records.ts';
import { StateFolderError } from '../../core/supervisor/paths.ts';
import type { RecoveryMode } from '../../core/supervisor/roster.ts';
import { SpecError } from '../../core/supervisor/service_file.ts';
import { AlreadyRunning, startSupervisor } from '../../core/supervisor/start.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../plugins/mod.ts';
import { createApp } from '../http/app.ts';
import type { ListenAddress } from '../http/listen_address.ts';
import { checkPlace, serveUnix } from '../http/serve_unix.ts';
import { CannotServe } from '../http/serving.ts';
import { OpenStreams } from '../http/stream_body.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { type LinePrinter, linePrinter } from './line_printer.ts';
import type { Listener } from './listener.ts';
import { socketOf } from './place.ts';
import { answerSignals } from './signals.ts';
import { reportStart } from './start_report.ts';
import { eventLine } from './text/event_line.ts';
import { paintFor } from './text/paint.ts';
import { version } from './version.ts';

/** What the daemon is told. */
export interface DaemonOptions {
  /** Absolute. */
  readonly state_dir: string;
  /** Absolute. */
  readonly spec_file: string;
  readonly recovery: RecoveryMode;
  /** Where to listen on TCP; nowhere without it. */
  readonly listen?: ListenAddress;
  /** True to refuse every command. */
  readonly read_only?: boolean;
  /** Whether what happens is printed as it happens; it is in the store in any case. */
  readonly events: 'printed' | 'kept';
  /** `json`: every line is a document, an event as it is stored or `{notice}`. */
  readonly format: 'text' | 'json';
}

/** A daemon at work. */
export interface Daemon {
  readonly supervisor: Supervisor;
  readonly printer: LinePrinter;
  /** Resolves when everything has ended in order. */
  readonly ended: Promise<void>;
}

/** How long requests under way may take to finish once everything has ended, ms. */
const GRACE = 1000;

/** How many of the events that the start itself brought about are printed: the newest. */
const RECOVERED = 200;

/**
 * Starts upkeep in this process. From then on SIGINT and SIGTERM end it in order, and SIGHUP reads the service file
 * again.
 *
 * @throws {@link CliError} where it cannot start; then no service was touched.
 */
export async function startDaemon(io: Io, options: DaemonOptions): Promise<Daemon> {
  const { at, host } = await theHost(io);
  const printer = standardPrinter(host);
  const notice = (text: string): void =>
    printer.print(options.format === 'json' ? JSON.stringify({ notice: text }) : text);

  const socket = placeOfSocket(host, io, options.state_dir);
  const listener = await preparedListener(host, options);
  const supervisor = await started({
    host,
    state_dir: options.state_dir,
    spec_file: options.spec_file,
    plugins: builtInPlugins,
    recovery: options.recovery,
    read_only: options.read_only ?? false,
    env: io.env,
    pid: process.pid,
    version: version(),
    ...(at === null ? {} : { at }),
  });
  if (options.events === 'printed') printEvents(supervisor, host, io, options, printer);

  const streams = new OpenStreams();
  const app = createApp(supervisor, {
    clock: host.clock,
    streams,
    report: (error) =>
      notice(supervisor.access.redact(`a fault: ${error instanceof Error ? error.stack : String(error)}`)),
  });
  const servers: { close(grace: number): Promise<void> }[] = [
    await served(serveUnix(app, socket, { host, streams })),
  ];
  if (listener !== null) {
    servers.push(await served(listener.serve(app, supervisor.access.tokens, { host, streams })));
  }
  const forgetSignals = answerSignals(supervisor, options.spec_file, notice);
  notice(
    `upkeep ${version()} (pid ${process.pid}) keeps ${options.spec_file}, state in ${options.state_dir}`,
  );

  if (options.read_only === true) notice('read-only: every command is refused');
  if (listener !== null) notice(`upkeep is at ${listener.link(io)}`);
  if (options.events === 'printed' && options.format === 'text') {
    reportStart(supervisor, host.clock, { print: notice, show: printer.show, columns: io.columns });
  }

  const ended = supervisor.stopped.then(async () => {
    await Promise.all(servers.map((server) => server.close(GRACE)));
    forgetSignals();
    notice('upkeep has ended');
  });
  return { supervisor, printer, ended };
}

/** The machine, and where a fault test asks for it, one that fails. */
async function theHost({ env }: Io): Promise<{ host: Host; at: ((call: string) => void) | null }> {
  const host = nodeHost();
  if (env['UPKEEP_FAULT'] === undefined) return { host, at: null };
  const { faultFromEnv, withFaults } = await import('../../core/host/fault.ts');
  const at = faultFromEnv(env);
  return at === null ? { host, at } : { host: withFaults(host, at), at };
}

function standardPrinter({ clock }: Host): LinePrinter {
  const writeOut = promisify(write);
  return linePrinter(
    async (bytes) => (await writeOut(process.stdout.fd, bytes, 0, bytes.length, null)).bytesWritten,
    clock,
  );
}

async function started(options: Parameters<typeof startSupervisor>[0]): Promise<Supervisor> {
  try {
    return await startSupervisor(options);
  } catch (error) {
    if (error instanceof SpecError) {
      throw new CliError(EXIT.usage, `${error.message}\n${formatIssues(error.issues, options.spec_file)}`);
    }
    if (error instanceof AlreadyRunning || error instanceof StateFolderError) {
      throw new CliError(EXIT.failed, error.message);
    }
    throw error;
  }
}

/** Where the socket will be, and that it can be there: told before anything is started. */
function placeOfSocket({ files }: Host, io: Io, stateDir: string): string {
  files.mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const socket = socketOf(stateDir, io.env);
  try {
    checkPlace(socket, files);
    return socket;
  } catch (error) {
    throw error instanceof CannotServe ? new CliError(EXIT.failed, error.message) : error;
  }
}

/** Loaded where it is wanted only: a daemon is small. */
async function preparedListener(host: Host, options: DaemonOptions): Promise<Listener | null> {
  if (options.listen === undefined) return null;
  const { prepareListener } = await import('./listener.ts');
  return prepareListener(host, options.state_dir, options.listen);
}

/** Services must not die of a face that fails at the last moment: they are left as by a crash, to be adopted. */
async function served<T>(serving: Promise<T>): Promise<T> {
  try {
    return await serving;
  } catch (error) {
    if (!(error instanceof CannotServe)) throw error;
    throw new CliError(EXIT.failed, `${error.message}; what runs goes on, and the next start takes it over`);
  }
}

function printEvents(
  supervisor: Supervisor,
  { clock }: Host,
  io: Io,
  { format }: DaemonOptions,
  printer: LinePrinter,
): void {
  const paint = paintFor(io);
  const print = (event: EventRecord): void =>
    printer.print(format === 'json' ? JSON.stringify(event) : eventLine(event, clock.wall(), paint));
  // What recovery found has happened by now.
  const { started_at } = supervisor.health();
  for (const event of supervisor.events({ limit: RECOVERED })) if (event.time >= started_at) print(event);
  supervisor.followEvents((events) => {
    for (const event of events) print(event);
  });
}
