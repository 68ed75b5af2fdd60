/**
 * Closes, for the process that it is called in, what Node's permission model leaves open: signals to other processes,
 * and on most versions the network, databases as files, and traces.
 *
 * It is done by taking the functions away before any code of a plugin is loaded. That stops every mistake and every
 * usual way. It is no boundary as the kernel draws them: see `not_enforced` of a plugin's record.
 */
import * as dgram from 'node:dgram';
import * as module from 'node:module';
import * as net from 'node:net';

/** As Node's own refusals, so that whoever handles those handles these. */
class Refused extends Error {
  readonly code = 'ERR_ACCESS_DENIED';
  constructor(what: string) {
    super(`a plugin may not ${what}`);
  }
}

/** Modules that reach files or the kernel past the permission model. */
const CLOSED_MODULES = ['node:sqlite', 'node:trace_events'];

/** Functions of `process` that signal, trace or reach into Node. */
const CLOSED_OF_PROCESS = [
  'kill',
  '_kill',
  '_debugProcess',
  '_debugEnd',
  '_linkedBinding',
  'binding',
  'dlopen',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
];

/** Confines this process, for good. */
export function confineThisProcess(): void {
  for (const name of CLOSED_OF_PROCESS) close(process, name, `call process.${name}`);
  close(net.Socket.prototype, 'connect', 'connect by itself: it has ctx.connect and ctx.fetch');
  close(net.Server.prototype, 'listen', 'listen');
  for (const name of ['bind', 'connect', 'send']) close(dgram.Socket.prototype, name, 'use UDP');
  const require = module.createRequire(import.meta.url);
  for (const name of CLOSED_MODULES) {
    if (!module.isBuiltin(name)) continue;
    const exports = require(name) as Record<string, unknown>;
    for (const key of Object.keys(exports)) close(exports, key, `use ${name}`);
  }
  // What is imported by name follows what the modules say now.
  module.syncBuiltinESMExports();
}

function close(holder: object, name: string, what: string): void {
  if (!(name in holder)) return;
  Object.defineProperty(holder, name, {
    value: () => {
      throw new Refused(what);
    },
    configurable: false,
    writable: false,
  });
}
