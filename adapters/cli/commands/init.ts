/**
 * `upkeep init [--from FILE] [-o FILE]`
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { formatIssues, parseServiceFile } from '../../../core/spec/mod.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { fromCompose } from '../init/compose.ts';
import { CannotConvert, type Draft, draftText } from '../init/draft.ts';
import { fromPackage } from '../init/package_scripts.ts';
import { fromEcosystem } from '../init/pm2.ts';
import { fromProcfile } from '../init/procfile.ts';
import type { Io } from '../io.ts';
import { jsonDocument } from '../session.ts';

/** The options of `init`. */
export interface InitOptions {
  readonly from?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What is looked for, in this order. */
const KNOWN = [
  'ecosystem.config.js',
  'ecosystem.config.cjs',
  'ecosystem.config.mjs',
  'ecosystem.config.json',
  'ecosystem.json',
  'pm2.json',
  'Procfile',
  'docker-compose.yml',
  'docker-compose.yaml',
  'compose.yml',
  'compose.yaml',
  'package.json',
] as const;

/** Ms that an ecosystem file may take to be evaluated. */
const EVALUATION = 10_000;

/** Writes a service file to begin with, from what there is of another program's. */
export async function init(io: Io, options: InitOptions): Promise<ExitCode> {
  const from = source(io, options.from);
  const output = resolve(io.cwd, options.output ?? 'upkeep.yaml');
  if (existsSync(output) && options.force !== true) {
    throw new CliError(EXIT.failed, `${output} is there already; --force writes over it`);
  }
  const draft = inFolder(convert(io, from), relative(dirname(output), dirname(from)));
  const text = draftText(draft, relative(dirname(output), from));
  const checked = parseServiceFile(text, output, builtInPlugins);
  if ('issues' in checked) {
    const issues = formatIssues(checked.issues, output);
    throw new CliError(EXIT.failed, `what came of ${from} is not right, and was not written\n${issues}`);
  }
  try {
    writeFileSync(output, text, { flag: options.force === true ? 'w' : 'wx', mode: 0o644 });
  } catch (error) {
    throw new CliError(EXIT.failed, `${output} cannot be written: ${(error as Error).message}`);
  }
  if (options.json === true) await io.out(jsonDocument({ from, file: output, ...draft }));
  else await io.out(reportText(draft, from, output));
  return EXIT.done;
}

function source(io: Io, named: string | undefined): string {
  if (named !== undefined) {
    const path = resolve(io.cwd, named);
    if (existsSync(path)) return path;
    throw new CliError(EXIT.usage, `there is no file ${named}`);
  }
  const found = KNOWN.map((name) => join(io.cwd, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new CliError(
    EXIT.usage,
    `there is none of ${KNOWN.join(', ')} in ${io.cwd}; name one with --from FILE`,
  );
}

/** What stands in a file is relative to its folder, which need not be that of the service file. */
function inFolder(draft: Draft, folder: string): Draft {
  if (folder === '') return draft;
  const services = draft.services.map((service) => ({
    ...service,
    actions: service.actions.map((action) => {
      const { cwd = '.', ...fields } = action.fields as { cwd?: string };
      return { ...action, fields: { ...fields, cwd: isAbsolute(cwd) ? cwd : join(folder, cwd) } };
    }),
  }));
  return { ...draft, services };
}

function convert(io: Io, path: string): Draft {
  const name = basename(path);
  const here = basename(dirname(path));
  try {
    if (/^Procfile/i.test(name)) {
      return fromProcfile(readFileSync(path, 'utf8'), existsSync(join(dirname(path), '.env')));
    }
    if (name === 'package.json') return fromPackage(readFileSync(path, 'utf8'), here);
    if (/\.(c|m)?js$/.test(name)) return fromEcosystem(evaluated(io, path));
    if (/\.json$/.test(name)) return fromEcosystem(json(path));
    if (/\.ya?ml$/.test(name)) return fromCompose(readFileSync(path, 'utf8'), name, here);
  } catch (error) {
    if (error instanceof CannotConvert) throw new CliError(EXIT.usage, `${path}: ${error.message}`);
    throw error;
  }
  throw new CliError(
    EXIT.usage,
    `${path} is none of a Procfile, a compose file, a pm2 ecosystem file and a package.json`,
  );
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new CannotConvert('it is no JSON');
  }
}

/** What a module exports. It is a program: it is run in a process of its own, and that is said before. */
function evaluated(io: Io, path: string): unknown {
  io.err(`running ${path} with node, to see what it exports`);
  const script =
    'import(process.argv[1]).then((m) => process.stdout.write("\\n\\0" + JSON.stringify(m.default ?? m)))';
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['-e', script, path], {
    cwd: dirname(path),
    env: io.env as NodeJS.ProcessEnv,
    encoding: 'utf8',
    timeout: EVALUATION,
    maxBuffer: 16 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = stdout?.split('\n\0').at(-1);
  if (status !== 0 || told === undefined || told === '') {
    throw new CannotConvert(`it cannot be run: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`);
  }
  try {
    return JSON.parse(told);
  } catch {
    throw new CannotConvert('what it exports is no plain data');
  }
}

function reportText({ services, remarks }: Draft, from: string, output: string): string {
  const lines = [`wrote ${output} from ${from}`, ...remarks.map((remark) => `  ${remark}`)];
  for (const service of services) {
    for (const action of service.actions) {
      const name = service.actions.length === 1 ? service.name : `${service.name}/${action.name}`;
      const about = service.actions.length === 1 ? [...service.remarks, ...action.remarks] : action.remarks;
      lines.push(
        `${name}${about.length === 0 ? ': all of it' : ''}`,
        ...about.map((remark) => `  ${remark}`),
      );
    }
  }
  return `${[...lines, '', 'look through it, then: upkeep check && upkeep up'].join('\n')}\n`;
}
