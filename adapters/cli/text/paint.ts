/**
 * Colours, and only where they are seen.
 */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;

/** A colour or a weight. */
export type Tone = keyof typeof CODES;

/** Gives text a tone. */
export type Paint = (tone: Tone, text: string) => string;

/** The paint for an output that shows colours, or does not. */
export function paintFor({ colour }: { readonly colour: boolean }): Paint {
  return colour ? (tone, text) => `\u001b[${CODES[tone]}m${text}\u001b[0m` : (_, text) => text;
}

const STATE_TONES: Readonly<Record<string, Tone>> = {
  up: 'green',
  running: 'green',
  succeeded: 'green',
  failed: 'red',
  retrying: 'red',
  degraded: 'yellow',
  starting: 'yellow',
  preparing: 'yellow',
  pending: 'yellow',
  stopping: 'yellow',
};

/** The tone of a service's state or a job's phase. */
export function toneOf(state: string): Tone {
  return STATE_TONES[state] ?? 'dim';
}
