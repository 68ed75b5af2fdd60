/** Reading a service file together with its plugins. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeHost } from '../../../../core/host/node_host.ts';
import { type LoadedServiceFile, loadServiceFile } from '../../../../core/plugin/remote/load.ts';
import type { ServiceFile, SpecIssue } from '../../../../core/spec/mod.ts';
import { builtInPlugins } from '../../../../plugins/mod.ts';
import { NODES, OWN_RUNTIME, PLUGINS } from '../../../support/plugins.ts';

const [own] = NODES;
const needs = own?.needs ?? null;
const test = needs === null ? it : it.skip;
const titled = (title: string): string => (needs === null ? title : `${title} (needs ${needs})`);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-load-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const OPTIONS = { host: nodeHost(), runtime: OWN_RUNTIME, built_in: builtInPlugins };

function load(file: object, with_schemas = false): Promise<LoadedServiceFile> {
  return loadServiceFile(JSON.stringify(file), join(dir, 'upkeep.json'), { ...OPTIONS, with_schemas });
}

function service(extra: object): object {
  return { shop: { actions: { web: { process: true, run: 'server', ...extra } } } };
}

function fileOf({ parsed }: LoadedServiceFile): ServiceFile {
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.file;
}

function issuesOf({ parsed }: LoadedServiceFile): readonly SpecIssue[] {
  if ('file' in parsed) throw new Error('accepted');
  return parsed.issues;
}

/** Loads one plugin of this text. */
async function loadText(name: string, text: string): Promise<string | null> {
  writeFileSync(join(dir, name), text);
  const { plugins } = await load({ plugins: [{ path: `./${name}` }], services: {} });
  return plugins[0]?.error ?? null;
}

const IMPORTS = "import { defineHealthCheck } from 'upkeep/plugin';\nimport * as v from 'valibot';\n";
const HEALTH = {
  name: "'mine'",
  api: '1',
  summary: "'Mine.'",
  options: 'v.strictObject({})',
  check: "() => ({ status: 'pass', message: '' })",
};

function text(changes: Readonly<Record<string, string>> = {}): string {
  const fields = Object.entries({ ...HEALTH, ...changes }).map(([name, value]) => `${name}: ${value}`);
  return `${IMPORTS}export default defineHealthCheck({ ${fields.join(', ')} });\n`;
}

describe('a file with plugins', () => {
  test(titled('knows their types, and leaves their options as they are written'), async () => {
    const plugins = [{ path: join(PLUGINS, 'health_queue.ts') }, { path: join(PLUGINS, 'rotate_half.ts') }];
    const health = [{ type: 'queue', file: '/q', interval: '5s' }];
    const services = service({ health, logs: { rotate: [{ type: 'half', size: 7 }] } });
    const loaded = await load({ plugins, services }, true);
    const action = fileOf(loaded).services['shop']?.actions['web'];
    expect(action?.health).toMatchObject([{ type: 'queue', interval: 5_000, options: { file: '/q' } }]);
    expect(action?.logs.rotate).toEqual([{ type: 'half', size: 7 }]);
    expect(loaded.plugins.map(({ error }) => error)).toEqual([null, null]);
    expect(loaded.plugins[0]?.options_schema).toMatchObject({
      properties: { file: { type: 'string' }, max: { type: 'number', default: 100 } },
      required: ['file'],
    });
  });

  test(titled('tells what is wrong with options among all the rest, in the order of the text'), async () => {
    const path = (name: string): { path: string } => ({ path: join(PLUGINS, name) });
    const plugins = [
      { ...path('probe_folder'), options: { program: 7 } },
      { ...path('health_queue.ts'), options: { file: '/q' } },
      path('rotate_half.ts'),
    ];
    const health = [{ type: 'queue', fil: '/q', max: 'many', interval: 'often' }, { type: 'queu' }];
    const services = service({ health, logs: { rotate: [{ type: 'half', size: 0 }] }, colour: 'red' });
    const issues = issuesOf(await load({ plugins, services }));
    const web = 'services.shop.actions.web';
    expect(issues.map(({ path: at, rule, message, value }) => [at, rule, message, value])).toEqual([
      ['plugins[0].options.program', 'type', 'must be string', '7'],
      [
        'plugins[1].options',
        'probe_only',
        'must be left out: those of health plugins stand where they are used',
        'a map',
      ],
      [`${web}.health[0].file`, 'required', 'is required', 'nothing'],
      [`${web}.health[0].fil`, 'unknown_key', 'is not known here', '"fil"'],
      [`${web}.health[0].max`, 'type', 'must be number', '"many"'],
      [`${web}.health[0].interval`, 'duration', expect.stringContaining('must be a duration'), '"often"'],
      [`${web}.health[1].type`, 'choice', expect.stringContaining("did you mean 'queue'?"), '"queu"'],
      [`${web}.logs.rotate[0].size`, 'min_value', 'must be 1 or more', '0'],
      [`${web}.colour`, 'unknown_key', 'is not known here', '"colour"'],
    ]);
    expect(issues.every(({ line }) => line === 1)).toBe(true);
  });

  test(
    titled('is right where one cannot be loaded, and a type that nobody knows is taken for its'),
    async () => {
      const services = service({ health: [{ type: 'lost', interval: '5s', anything: 1 }] });
      const loaded = await load({ plugins: [{ path: './missing.ts' }], services });
      expect(fileOf(loaded).services['shop']?.actions['web']?.health).toMatchObject([
        { type: 'lost', interval: 5_000, options: { anything: 1 } },
      ]);
      expect(loaded.plugins[0]).toMatchObject({ error: `there is no ${dir}/missing.ts`, located: null });
      expect(issuesOf(await load({ services })).map(({ rule }) => rule)).toEqual(['choice']);
      const text = JSON.stringify({ plugins: [{ path: './missing.ts' }], services });
      const strict = await loadServiceFile(text, join(dir, 'upkeep.json'), { ...OPTIONS, strict: true });
      expect(issuesOf(strict)).toMatchObject([
        { path: 'plugins[0].path', rule: 'plugin', message: `there is no ${dir}/missing.ts`, line: 1 },
      ]);
    },
  );

  test(titled('names a package by its name'), async () => {
    cpSync(join(PLUGINS, 'packages'), join(dir, 'node_modules'), { recursive: true });
    const [found] = (await load({ plugins: [{ path: 'upkeep-health-answer' }], services: {} })).plugins;
    expect(found?.description).toMatchObject({ kind: 'health', name: 'answer' });
    const [lost] = (await load({ plugins: [{ path: 'missing' }], services: {} })).plugins;
    expect(lost?.error).toBe(`there is no package 'missing' in any node_modules from ${dir} upwards`);
    writeFileSync(join(dir, 'near.ts'), '');
    const [near] = (await load({ plugins: [{ path: 'near.ts' }], services: {} })).plugins;
    expect(near?.error).toContain('did you mean ./near.ts?');
  });

  test(titled('lets no two have one name'), async () => {
    writeFileSync(join(dir, 'first.ts'), text());
    writeFileSync(join(dir, 'second.ts'), text());
    const plugins = [{ path: './first.ts' }, { path: './second.ts' }];
    const loaded = await load({ plugins, services: {} });
    expect(loaded.plugins.map(({ error }) => error)).toEqual([
      null,
      "Cannot load ./second.ts as its name must be its own: 'mine' is that of ./first.ts",
    ]);
  });
});

describe('a plugin that is none', () => {
  test.each([
    ['api', text({ api: '2' }), 'its api must be 1: current value is 2'],
    [
      'no default',
      'export const a = 1;',
      'its default export must be made by defineProbe, defineHealthCheck, defineLogRotator or defineNotifier: current value is undefined',
    ],
    [
      'a name',
      text({ name: "'Mine!'" }),
      'its name must be lower-case letters, digits and _, 63 at most: current value is "Mine!"',
    ],
    [
      'options of its own make',
      text({ options: '{}' }),
      'its options.type must be a v.strictObject({…}): current value is undefined',
    ],
    [
      'options',
      text({ options: 'v.object({})' }),
      'its options.type must be a v.strictObject({…}): current value is "object"',
    ],
    [
      'permissions',
      text({ permissions: '{ run: "ss" }' }),
      'its permissions.run must be a list of text: current value is "ss"',
    ],
    ['no function', text({ check: '7' }), 'its check must be a function: current value is 7'],
    [
      'a common name',
      text({ options: 'v.strictObject({ interval: v.string() })' }),
      'none of its options must be called type, role, interval',
    ],
    ['no summary', text({ summary: "''" }), 'its summary must be one sentence: current value is ""'],
  ])(titled('%s'), async (_, source, message) => {
    expect(await loadText('wrong.ts', source)).toContain(message);
  });

  test(titled('tells the place of what Node cannot read'), async () => {
    expect(await loadText('syntax.js', 'export default {\n  a b\n};\n')).toBe(
      `${dir}/syntax.js: Unexpected identifier 'b'`,
    );
    expect(await loadText('enum.ts', 'enum A { B }\nexport default A;\n')).toContain(`${dir}/enum.ts: `);
    expect(await loadText('lost.ts', "import './nowhere.ts';\n")).toContain('nowhere.ts');
    expect(await loadText('package.ts', "import 'no-such-package';\n")).toContain("'no-such-package'");
    expect(await loadText('throws.ts', "throw new Error('at once');\n")).toBe(
      `at once (${dir}/throws.ts:1:7)`,
    );
  });

  test(titled('that ends or hangs while it is loaded'), async () => {
    expect(await loadText('exit.ts', 'process.exit(3);\n')).toBe('its process ended');
    expect(await loadText('never.ts', 'await new Promise(() => {});\n')).not.toBeNull();
  });

  test(titled('may import what is beside it only where its folder is named'), async () => {
    writeFileSync(join(dir, 'beside.ts'), 'export const beside = 1;\n');
    const error = await loadText('alone.ts', `import './beside.ts';\n${text()}`);
    expect(error).toContain('may read no file but its own');
    mkdirSync(join(dir, 'folder'), { recursive: true });
    writeFileSync(join(dir, 'folder', 'beside.ts'), 'export const beside = 1;\n');
    writeFileSync(join(dir, 'folder', 'mod.ts'), `import './beside.ts';\n${text()}`);
    const [found] = (await load({ plugins: [{ path: './folder' }], services: {} })).plugins;
    expect(found?.error).toBeNull();
  });
});
