/**
 * `upkeep plugins check FILE`
 */
import { resolve } from 'node:path';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { jsonDocument } from '../session.ts';
import { oneLine } from '../text/event_line.ts';
import { paintFor } from '../text/paint.ts';

/** What a plugin is granted and given while it is checked. */
export interface PluginsCheckOptions {
  readonly allowRun?: readonly string[];
  readonly allowRead?: readonly string[];
  readonly allowNet?: readonly string[];
  /** As JSON. */
  readonly options?: string;
  readonly json?: boolean;
}

interface Outcome {
  readonly name: string;
  /** Null where it holds. */
  readonly failure: string | null;
}

/** Runs the contract suite against a plugin, and says what of it does not hold. */
export async function pluginsCheck(io: Io, file: string, options: PluginsCheckOptions): Promise<ExitCode> {
  const path = resolve(io.cwd, file);
  // Only who checks a plugin needs the suite.
  const { openForTest } = await import('../../../test/contract/mod.ts');
  const plugin = await openForTest(path, {
    allow: {
      run: options.allowRun ?? [],
      read: (options.allowRead ?? []).map((entry) => (entry === '*' ? entry : resolve(io.cwd, entry))),
      net: options.allowNet ?? [],
    },
    options: givenOptions(options.options),
  }).catch((error: Error) => {
    throw new CliError(EXIT.failed, error.message);
  });
  const outcomes: Outcome[] = [];
  try {
    for (const { name, run } of plugin.cases) outcomes.push({ name, failure: await failureOf(run) });
  } finally {
    plugin.close();
  }
  const failed = outcomes.filter(({ failure }) => failure !== null).length;
  if (options.json === true) {
    const { kind, name, left_out } = plugin;
    await io.out(
      jsonDocument({ file: path, kind, name, passed: outcomes.length - failed, failed, outcomes, left_out }),
    );
  } else {
    await io.out(`${plugin.kind} ${plugin.name} (${file})\n`);
    for (const outcome of outcomes) await io.out(line(outcome, io));
    for (const name of plugin.left_out) await io.out(`  - ${name}\n`);
    await io.out(`${outcomes.length - failed} passed, ${failed} failed\n`);
  }
  return failed === 0 ? EXIT.done : EXIT.failed;
}

function givenOptions(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Told below.
  }
  throw new CliError(EXIT.usage, `--options must be a JSON object: current value is ${text}`);
}

async function failureOf(run: () => Promise<void> | void): Promise<string | null> {
  try {
    await run();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function line({ name, failure }: Outcome, io: Io): string {
  const paint = paintFor(io);
  if (failure === null) return `  ${paint('green', '✓')} ${name}\n`;
  return `  ${paint('red', '✗')} ${name}\n      ${oneLine(failure)}\n`;
}
