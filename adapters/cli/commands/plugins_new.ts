/**
 * `upkeep plugins new KIND NAME`
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { PLUGIN_TEMPLATES, pluginTest, type TemplateKind } from '../plugin_templates.ts';

/** Where it is written. */
export interface PluginsNewOptions {
  readonly dir?: string;
}

/** Writes a plugin that works, and a test for it. */
export async function pluginsNew(
  io: Io,
  kind: string,
  name: string,
  { dir = '.' }: PluginsNewOptions,
): Promise<ExitCode> {
  if (!isKind(kind)) {
    const kinds = Object.keys(PLUGIN_TEMPLATES).join(', ');
    throw new CliError(EXIT.usage, `the kind must be one of ${kinds}: current value is ${kind}`);
  }
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw new CliError(
      EXIT.usage,
      `the name must be lower case letters, digits and _, a letter first: current value is ${name}`,
    );
  }
  const folder = resolve(io.cwd, dir);
  const file = join(folder, `${kind}_${name}.ts`);
  const test = join(folder, `${kind}_${name}.test.mjs`);
  for (const path of [file, test]) {
    if (existsSync(path)) throw new CliError(EXIT.failed, `${path} is there already`);
  }
  mkdirSync(folder, { recursive: true });
  const { source, allow, options, use } = PLUGIN_TEMPLATES[kind](name);
  writeFileSync(file, source, { flag: 'wx' });
  writeFileSync(test, pluginTest(`${kind}_${name}`, allow, options), { flag: 'wx' });
  const path = `./${relative(io.cwd, file)}`;
  await io.out(
    [
      `wrote ${file}`,
      `wrote ${test}`,
      '',
      'try it      node --test',
      `check it    upkeep plugins check ${path}${allowWords(allow)}${optionWords(options)}`,
      'use it, in the service file:',
      `  plugins: [{ path: ${path}, allow: ${JSON.stringify(allow)} }]`,
      ...(use === null ? [] : [`  ${use}`]),
      '',
    ].join('\n'),
  );
  return EXIT.done;
}

function isKind(kind: string): kind is TemplateKind {
  return kind in PLUGIN_TEMPLATES;
}

function allowWords(allow: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(allow)
    .map(([kind, entries]) => ` --allow-${kind} ${entries.join(' ')}`)
    .join('');
}

function optionWords(options: Readonly<Record<string, unknown>>): string {
  return Object.keys(options).length === 0 ? '' : ` --options '${JSON.stringify(options)}'`;
}
