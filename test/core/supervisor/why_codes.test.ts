/**
 * Each reason code is explained, and a test brings it about: a new code without one fails here.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { REASON_CODES, type ReasonCode, reason } from '../../../core/job/reason.ts';
import { nextCall, nextStep } from '../../../core/supervisor/next_step.ts';
import { expectCallable } from '../../e2e/why_lab.ts';

/** The file below test/e2e whose test is named after the code, or why there can be none. */
const BROUGHT_ABOUT = {
  EXITED: 'why_ends',
  SIGNALED: 'why_ends',
  OOM_KILLED: 'launch',
  SPAWN_FAILED: 'why_ends',
  COMMAND_NOT_FOUND: 'why_ends',
  NOT_READY: 'why_ends',
  CLAIM_LOST: 'why_claims',
  PORT_HELD: 'why_claims',
  SOCKET_HELD: 'why_claims',
  SOCKET_NOT_A_SOCKET: 'why_claims',
  PIDFILE_REUSED: 'why_claims',
  UNHEALTHY: 'why_claims',
  DEPENDENCY_WAIT: 'why_order',
  DEPENDENCY_FAILED: 'why_order',
  STOP_TIMEOUT: 'why_ends',
  SURVIVORS: 'why_ends',
  ADOPTED: 'why_absence',
  EXIT_UNKNOWN: 'why_absence',
  LOG_LOSSY: 'why_notes',
  LOG_TRUNCATED: 'why_notes',
  REQUESTED: 'why_order',
  REBOOTED: 'why_absence',
  PROBE_UNAVAILABLE: 'why_claims',
  STORE_DEGRADED: 'why_notes',
  GAVE_UP: 'why_ends',
  WANTED_DOWN: 'why_order',
  INTERRUPTED: 'why_absence',
  SHUTDOWN: 'why_order',
  PIDFILE_HELD: 'why_claims',
  PIDFILE_UNWRITABLE: 'why_claims',
  RECLAIMED: 'why_claims',
  LOG_DEGRADED: 'why_notes',
  NOTIFY_DEGRADED: 'why_notes',
  SPEC_CHANGED: 'why_order',
  READY: 'why_order',
  HEALTHY: 'why_claims',
  CHECK_UNAVAILABLE: 'why_claims',
  PROBE_DISAGREEMENT: 'why_claims',
  PLUGIN_FAILED: 'why_notes',
  PLUGIN_QUARANTINED: 'why_notes',
  PLUGIN_LIMITED: 'why_notes',
  HEAL_APPLIED: 'why_order',
  HEALED: 'why_order',
  NOT_HEALED: 'why_order',
  INTERNAL_ERROR: {
    cannot: 'it is a bug of upkeep: an event in a phase in which the explorer shows it to be impossible',
  },
} as const satisfies Record<ReasonCode, string | { readonly cannot: string }>;

/** The titles of a test file's tests. */
function titlesIn(file: string): string {
  const path = fileURLToPath(new URL(`../../e2e/${file}.test.ts`, import.meta.url));
  const text = readFileSync(path, 'utf8');
  return [
    ...text.matchAll(/\b(?:it|withPlugins|describe)(?:\.\w+\([^)]*\))*\(\s*(?:titled\()?['"`]([^'"`]+)/g),
  ]
    .map(([, title]) => title)
    .join('\n');
}

describe.each(REASON_CODES)('%s', (code) => {
  const shown: string | { readonly cannot: string } = BROUGHT_ABOUT[code];

  it.skipIf(typeof shown !== 'string')('is brought about by a test that is named after it', () => {
    expect(titlesIn(shown as string)).toMatch(new RegExp(`\\b${code}\\b`));
  });

  it('has a next step, and a call that can be made where there is one', () => {
    const subject = { service: 'web', action: 'main', process: true };
    for (const evidence of [
      {},
      { claim: 'tcp:127.0.0.1:80', holder: null },
      { claim: 'tcp:[::1]:80', holder: { pid: 7 } },
      { claim: 'udp:53', holder: null },
      { claim: 'socket:/run/a b.sock', holder: null },
      { claim: 'socket:@abstract', holder: null },
      { claim: 7 },
    ]) {
      const why = reason(code, 'because', evidence);
      expect(nextStep(why, subject)).toMatch(/^[A-Z].*\.$/s);
      expect(nextStep(why, subject)).not.toMatch(/[{}]/);
      const call = nextCall(why, 'web');
      if (call !== null) expectCallable(call);
    }
  });
});
