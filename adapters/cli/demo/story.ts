/**
 * The demo's story: what is done to the service, one act after another, and how it comes back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ActionView, Control } from '../../../core/supervisor/control.ts';
import { pause } from '../pause.ts';

/** What the story plays with. */
export interface Stage {
  readonly control: Control;
  readonly service: string;
  readonly action: string;
  readonly port: number;
  /** Tells people something. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Act {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Ms between two acts: first so that one can follow, then so that one can look around. */
const SHORT_PAUSE = 5000;
const LONG_PAUSE = 20_000;

const ACTS: readonly Act[] = [
  { title: 'web crashes: it exits with code 3', play: ({ port }) => post(port, '/crash') },
  {
    title: 'web is killed with SIGKILL, and its socket is left behind',
    play: ({ port }) => post(port, '/die'),
  },
  { title: 'web lets go of its port, and a stranger takes it', play: takeOver },
];

/** The path of one of the demo's programs, compiled or not. */
export function demoProgram(name: 'web' | 'stranger'): string {
  return fileURLToPath(new URL(`${name}${extname(import.meta.url)}`, import.meta.url));
}

/** Plays every act again and again until the signal. */
export async function playStory(stage: Stage, afterFirstRound: () => void): Promise<void> {
  try {
    await running(stage, -1);
    for (let round = 0; ; round++) {
      for (const act of ACTS) {
        await pause(round === 0 ? SHORT_PAUSE : LONG_PAUSE, stage.signal);
        await playAct(act, stage);
      }
      if (round === 0) afterFirstRound();
    }
  } catch (error) {
    // However far it had come, there is nobody left to play with.
    if (!stage.signal.aborted) throw error;
  }
}

async function playAct(act: Act, stage: Stage): Promise<void> {
  const { restart_count, job_id } = actionOf(stage);
  stage.say(`▶ ${act.title}`);
  const begin = performance.now();
  await act.play(stage);
  const healed = await running(stage, restart_count);
  const took = ((performance.now() - begin) / 1000).toFixed(1);
  const same = healed.job_id === job_id ? 'the same job' : 'another job';
  stage.say(`✔ healed after ${took} s: pid ${healed.pid}, ${same}, restart_count ${healed.restart_count}`);
}

function actionOf({ control, service, action }: Stage): ActionView {
  const found = control.service(service).actions.find((candidate) => candidate.action === action);
  if (found === undefined) throw new Error(`the demo's ${service}/${action} is gone`);
  return found;
}

/** The action, once it runs and has been restarted more than `restarts` times. */
async function running(stage: Stage, restarts: number): Promise<ActionView> {
  for (;;) {
    const view = actionOf(stage);
    if (view.phase === 'running' && view.restart_count > restarts) return view;
    await pause(20, stage.signal);
  }
}

async function takeOver(stage: Stage): Promise<void> {
  // Without a marker that upkeep itself may have been started with: a stranger is nobody's.
  const { UPKEEP_JOB: _, ...env } = process.env;
  const stranger = spawn(process.execPath, [demoProgram('stranger'), String(stage.port)], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const end = (): void => void stranger.kill();
  stage.signal.addEventListener('abort', end, { once: true });
  stranger.once('exit', () => stage.signal.removeEventListener('abort', end));
  await started(stranger);
  stage.say(`  the stranger is pid ${stranger.pid}`);
  await post(stage.port, '/leave');
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
}

/** Asks the service for one of its habits. It may well not live to answer. */
function post(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path, method: 'POST', agent: false }, (response) => {
      response.resume().on('close', resolve);
    })
      .on('error', () => resolve())
      .end();
  });
}
