/**
 * `upkeep doctor`
 */
import { readFileSync } from 'node:fs';
import { nodeHost } from '../../../core/host/node_host.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { type Finding, ok } from '../doctor/finding.ts';
import {
  kernelLogFinding,
  limitFindings,
  nodeFinding,
  platformFinding,
  processesFinding,
  shellFinding,
} from '../doctor/machine.ts';
import { probeFindings } from '../doctor/probes.ts';
import { stateFindings } from '../doctor/state_folder.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { stateDir } from '../place.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { type Paint, paintFor, type Tone } from '../text/paint.ts';

/** Looks whether upkeep can do all that it is there for, on this machine and with this state folder. */
export async function doctor(io: Io, options: CommonOptions): Promise<ExitCode> {
  const host = nodeHost();
  const uid = process.getuid?.() ?? 0;
  const findings = [
    nodeFinding(process.version),
    platformFinding(process.platform),
    shellFinding(host),
    processesFinding(host, uid),
    ...(await probeFindings(host, builtInPlugins.probes, process.pid)),
    kernelLogFinding(host),
    ...limitFindings(limitsText()),
    ...(await stateFindings(host, stateDir(options, io), uid, io)),
    await daemonFinding(io, options),
  ];
  if (options.json === true) await io.out(jsonDocument({ ok: !findings.some(isFailure), findings }));
  else await io.out(findingsText(findings, paintFor(io)));
  return findings.some(isFailure) ? EXIT.failed : EXIT.done;
}

function isFailure({ status }: Finding): boolean {
  return status === 'fail';
}

const TONES: Readonly<Record<Finding['status'], Tone>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** Findings for people: what to do stands below each that asks for it. */
export function findingsText(findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, status, message, advice }) => {
      const line = `${paint(TONES[status], status.padEnd(4))}  ${check.padEnd(width)}  ${message}\n`;
      return advice === null ? line : `${line}${' '.repeat(width + 8)}${paint('bold', '→')} ${advice}\n`;
    })
    .join('');
}

function limitsText(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return null;
  }
}

async function daemonFinding(io: Io, options: CommonOptions): Promise<Finding> {
  try {
    return await withDaemon(io, options, async (client) => {
      const { pid, version, store } = await client.call('health.get', {});
      if (store === null) return ok('daemon', `upkeep ${version} runs (pid ${pid})`);
      const advice = 'make room, or see upkeep events';
      return { check: 'daemon', status: 'warn', message: `its store is degraded: ${store.message}`, advice };
    });
  } catch (error) {
    if (error instanceof CliError && error.exit_code === EXIT.no_daemon)
      return ok('daemon', 'no upkeep runs');
    const advice = 'end it and start it again; what it runs goes on';
    return { check: 'daemon', status: 'warn', message: (error as Error).message, advice };
  }
}
