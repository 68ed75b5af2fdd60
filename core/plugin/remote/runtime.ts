/**
 * How a plugin's process is started: which Node, with which restrictions, and what that Node cannot restrict.
 */
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Files, SpawnRequest } from '../../host/host.ts';
import type { Boot } from './boot.ts';
import { entryOf, type LocatedPlugin, packageFolder } from './locate.ts';

/** The Node that plugins run in, and upkeep's code for it. */
export interface PluginRuntime {
  /** Absolute path of the program. */
  readonly node: string;
  /** `20.20.2` */
  readonly version: string;
  /** The main module of a plugin's process, compiled. Absolute. */
  readonly main: string;
}

/** This very Node, and the code beside this file. */
export function ownRuntime(): PluginRuntime {
  const main = fileURLToPath(new URL(`child/main${extname(import.meta.url)}`, import.meta.url));
  return { node: process.execPath, version: process.versions.node, main };
}

/** MB of JavaScript objects. */
const HEAP = 64;

/** From this version on Node itself refuses connections. */
const NETWORK_SINCE = 25;

/**
 * KiB that a process may write to, buffers included. From 24 on V8 sets half a gigabyte of addresses aside that count
 * and are never used.
 */
function dataLimit(major: number): number {
  return (major >= 24 ? 896 : 384) * 1024;
}

/** The processor time, in seconds, after which a process that is only to be asked once is ended by the kernel. */
const ONCE_SECONDS = 20;

/**
 * How much a plugin's process stands back, as nice counts. Enough that one which spins does not keep upkeep or a service
 * waiting, and not so much that one which is asked something starves on a busy machine.
 */
const NICENESS = 10;

/**
 * Limits first, then Node in place of the shell: the process stays the same one. Whatever a plugin does, services come
 * first: it is nice from its first instruction on.
 *
 * Where the kernel shares processor time out by session (autogroup, the default of most), niceness counts within the
 * session only, and every session has the same share. A plugin's process has one of its own, which is told to be nice.
 */
const LIMITED = [
  'unset PWD OLDPWD',
  'ulimit -c 0',
  'ulimit -d "$1"',
  '[ "$2" = 0 ] || ulimit -t "$2"',
  'shift 2',
  `{ echo ${NICENESS} > /proc/self/autogroup; } 2>/dev/null`,
  `exec nice -n ${NICENESS} "$@"`,
].join('; ');

/**
 * The command line of a plugin's process.
 *
 * @param once true for a process that is asked and ended at once, and that nobody would look for if upkeep died.
 */
export function pluginCommand(
  plugin: LocatedPlugin,
  runtime: PluginRuntime,
  files: Files,
  once = false,
): readonly string[] {
  const { node, main } = runtime;
  const major = majorOf(runtime);
  // Its packages lie above the compiled code as well as above the sources.
  const own = ['valibot', '@valibot/to-json-schema', '@swc/wasm-typescript'].map((name) =>
    packageFolder(name, dirname(main), files),
  );
  const [valibot = null, toJsonSchema = null, strip = null] = own;
  if (valibot === null || toJsonSchema === null) throw new Error(`valibot is not installed beside ${main}`);
  const realMain = files.realpathSync(main);
  const boot: Boot = {
    file: plugin.file,
    valibot: entryOf(valibot, files),
    to_json_schema: entryOf(toJsonSchema, files),
    strip: strip === null ? null : entryOf(strip, files),
    stamp: plugin.stamp,
  };
  const readable = [
    ...own.flatMap((folder) => (folder === null ? [] : [`${folder}/*`])),
    ...ownCode(realMain, files),
    ...codeOf(plugin, files),
  ];
  return [
    '/bin/sh',
    '-c',
    LIMITED,
    'sh',
    String(dataLimit(major)),
    String(once ? ONCE_SECONDS : 0),
    node,
    major >= 24 ? '--permission' : '--experimental-permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--experimental-vm-modules',
    '--no-warnings',
    `--max-old-space-size=${HEAP}`,
    '--max-semi-space-size=1',
    realMain,
    JSON.stringify(boot),
  ];
}

/** Nothing of upkeep's environment: it cannot be kept from a process that has it. */
export const PLUGIN_ENV: Readonly<Record<string, string>> = {};

/** What is asked of the spawner for a process that is asked once. */
export function onceRequest(argv: readonly string[], output_fd: number): SpawnRequest {
  const [file = '', ...args] = argv;
  return { file, argv: args, cwd: '/', env: PLUGIN_ENV, output_fd, channel: true };
}

/** What Node cannot keep a plugin from, whatever is granted: a sentence each. */
export function notEnforced(runtime: PluginRuntime): string[] {
  const node = `Node ${runtime.version}`;
  const said = [
    `signals: ${node} lets a process signal others of its user; the usual ways are closed, which is no boundary against malice`,
  ];
  if (majorOf(runtime) < NETWORK_SINCE) {
    said.unshift(
      `net: ${node} cannot refuse connections (${NETWORK_SINCE} and newer can); the usual ways are closed, which is no boundary against malice`,
    );
  }
  return said;
}

function majorOf({ version }: PluginRuntime): number {
  return Number(version.split('.')[0]);
}

/** The folder of upkeep's compiled core, and the package.json files that say that it is made of modules. */
function ownCode(main: string, files: Files): string[] {
  // dist/core/plugin/remote/child/main.js
  const core = join(dirname(main), '..', '..', '..');
  const found = [`${core}/*`];
  for (let folder = core; folder !== dirname(folder); folder = dirname(folder)) {
    const about = join(folder, 'package.json');
    if (files.existsSync(about)) return [...found, about];
  }
  return found;
}

/** The plugin's own files, and the packages that it can import: code, not data. */
function codeOf({ file, folder }: LocatedPlugin, files: Files): string[] {
  const found = [folder === null ? file : `${folder}/*`];
  for (let above = dirname(file); ; above = dirname(above)) {
    const packages = join(above, 'node_modules');
    if (files.existsSync(packages)) found.push(`${files.realpathSync(packages)}/*`);
    if (above === dirname(above)) return found;
  }
}
