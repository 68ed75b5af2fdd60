/**
 * The job's state machine as diagrams, drawn from what the explorer sees: an arrow is there if and only if some job
 * can take it.
 */
import type { JobEvent } from '../../../core/job/event.ts';
import { type Job, PHASES } from '../../../core/job/job.ts';
import { transition } from '../../../core/job/machine.ts';
import { aPolicy } from './builders.ts';
import { explore, type Machine } from './explorer.ts';

/** Together they take every arrow that any policy can take. */
const POLICIES = [
  aPolicy({}, { policy: 'on_failure', max_attempts: 2 }),
  aPolicy({ recovery: 'restart', awaits_ready: false }),
  aPolicy({ process: false, awaits_ready: false }),
];

/** What is drawn: a phase, or a step of `preparing`. */
const STATES: readonly string[] = PHASES.flatMap((phase) =>
  phase === 'preparing' ? ['reclaim', 'spawn'] : [phase],
);

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/**
 * Two diagrams in Markdown, in Mermaid's language: everyday life, and what is decided when upkeep comes back. There is
 * one arrow for each pair of states, with every event that leads from one to the other.
 */
export function stateDiagrams(): string {
  const arrows = possibleArrows();
  const recovery = arrows.filter(({ label }) => label === 'recovered');
  const life = arrows.filter(({ label }) => label !== 'recovered');
  return [
    'What happens to a job (`up` and `down` are what the user wants):',
    diagram(life, ['[*] --> pending']),
    'What upkeep decides when it comes back (`recovered`):',
    diagram(recovery),
  ].join('\n\n');
}

function diagram(arrows: readonly Arrow[], first: readonly string[] = []): string {
  const drawn = STATES.flatMap((from) =>
    STATES.flatMap((to) => {
      const labels = arrows
        .filter((arrow) => arrow.from === from && arrow.to === to)
        .map(({ label }) => label);
      const text = labels.every((label) => label === 'recovered') ? '' : `: ${labels.sort().join(', ')}`;
      return labels.length === 0 ? [] : [`${from} --> ${to}${text}`];
    }),
  );
  const names = ['reclaim', 'spawn'].map((step) => `state "preparing (${step})" as ${step}`);
  const lines = [...names, ...first, ...drawn].map((line) => `    ${line}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}

function possibleArrows(): Arrow[] {
  const seen = new Map<string, Arrow>();
  const recording: Machine = (job, event, context) => {
    const step = transition(job, event, context);
    const arrow = { from: stateOf(job), to: stateOf(step.job), label: labelOf(event) };
    if (arrow.from !== arrow.to) seen.set(Object.values(arrow).join(' '), arrow);
    return step;
  };
  for (const policy of POLICIES) explore(policy, recording);
  return [...seen.values()];
}

function stateOf(job: Job): string {
  return job.phase === 'preparing' ? job.step : job.phase;
}

function labelOf(event: JobEvent): string {
  return event.type === 'want' ? event.wanted : event.type;
}
