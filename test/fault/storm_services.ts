/**
 * The services that a storm goes over: each crashes, or is troubled, in a way of its own, and all of them write down
 * what upkeep cannot know better than they do.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../support/sandbox.ts';

const SERVICE = fileURLToPath(new URL('../fixtures/service.mjs', import.meta.url));
const RECORDED = fileURLToPath(new URL('../fixtures/recorded.sh', import.meta.url));

/** Those that nobody but upkeep ever stops or starts: each has one job for ever. */
export const LEFT_ALONE = ['plain', 'shell', 'claims', 'calm'] as const;

/** Those that a user stops, starts and restarts meanwhile. */
export const COMMANDED = ['chain', 'leaves'] as const;

/** What a storm's services need to know of each other. */
export class StormServices {
  readonly #sandbox: Sandbox;
  /** How long an escapee of `leaves` sleeps: in its command line it says whose it is. */
  readonly #sleep = `1000.${process.pid}${Date.now() % 1_000_000}`;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** Once this file is there no service crashes any more. */
  get calm(): string {
    return this.#sandbox.path('is_calm');
  }

  /** What a service has written down of its starts. */
  started(service: string): Line[] {
    return lines(this.#sandbox.path(`starts.${service}`)).map((line) => {
      const [what = '', mark = '', action = '', run_id = ''] = line.split(' ');
      const [, job_id = '', incarnation = ''] = mark.split('/');
      return { what, job_id, incarnation: Number(incarnation), action, run_id };
    });
  }

  /** The numbered lines that a service has noted beside its log, and in its log. */
  noted(service: string): string[] {
    return lines(this.#sandbox.path(`noted.${service}.lines`));
  }

  /** The pids of the escapees of `leaves` that live. */
  escapees(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const argv = readFileSync(`/proc/${name}/cmdline`, 'latin1');
          return argv === `sleep\0${this.#sleep}\0` ? [Number(name)] : [];
        } catch {
          return [];
        }
      });
  }

  /** The service file's `services`. */
  file(port: number): object {
    const socket = this.#sandbox.path('claims.sock');
    const often = { restart: { delay: '5ms', factor: 1, stable_after: '100ms' }, stop: { timeout: '2s' } };
    const restarts = { rotate: [{ type: 'restart' }], keep: 100_000, max_total: '10GiB' };
    const sizes = { ...restarts, rotate: [{ type: 'restart' }, { type: 'size', max: '64KiB' }] };
    const base = (name: string): object => ({ process: true, ...often, env: { STARTS: this.#starts(name) } });
    const node = (name: string, env: object = {}): object => ({
      ...base(name),
      run: ['sh', RECORDED, process.execPath, SERVICE],
      env: {
        STARTS: this.#starts(name),
        RECORD: this.#sandbox.path(`noted.${name}`),
        CALM: this.calm,
        LINES: '7',
        LINE_BYTES: '120',
        CRASH_MIN: '80',
        CRASH_MAX: '900',
        ...env,
      },
    });
    const one = (main: object): object => ({ actions: { main } });
    const crashing = (seconds: number): string[] => [
      ...['sh', RECORDED, 'sh', '-c'],
      `sleep ${seconds}; [ -e '${this.calm}' ] && exec sleep 1000; exit 1`,
    ];
    // Nothing but SIGKILL can keep it from exit 0 once it has said that it is done.
    const prepare = `trap '' TERM; sleep 0.1; echo "done $UPKEEP_JOB $UPKEEP_ACTION $UPKEEP_RUN" >>"$STARTS"`;
    return {
      plain: one({ ...node('plain'), logs: sizes }),
      shell: one({
        ...node('shell'),
        run: `sh ${RECORDED} ${process.execPath} ${SERVICE}; exit $?`,
        logs: restarts,
      }),
      claims: one({
        ...node('claims', { TCP_PORT: String(port), UNIX_SOCKET: socket }),
        tcp_ports: [port],
        sockets: [socket],
        logs: restarts,
      }),
      calm: one({ ...node('calm', { CRASH_MAX: '' }), logs: sizes }),
      leaves: one({
        ...base('leaves'),
        run: crashing(0.4),
        stop: { timeout: '300ms' },
        env: { STARTS: this.#starts('leaves'), ESCAPEE: this.#sleep },
      }),
      chain: {
        actions: {
          prepare: {
            ...base('chain'),
            process: false,
            run: ['sh', RECORDED, 'sh', '-c', prepare],
            stop: { timeout: '10s' },
          },
          main: { ...base('chain'), run: crashing(0.6), after: ['prepare'] },
        },
      },
    };
  }

  #starts(service: string): string {
    return this.#sandbox.path(`starts.${service}`);
  }
}

/** One line that a service has written down: that it started, or that it is done. */
export interface Line {
  readonly what: string;
  readonly job_id: string;
  readonly incarnation: number;
  readonly action: string;
  readonly run_id: string;
}

function lines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}
