/**
 * What `upkeep plugins new` writes: one small plugin of each kind that works as it is.
 */

/** The kinds, as they begin the names of files. */
export type TemplateKind = 'probe' | 'health' | 'rotate' | 'notify';

/** A plugin to begin with. */
export interface PluginTemplate {
  readonly source: string;
  /** What it needs. */
  readonly allow: Readonly<Record<string, readonly string[]>>;
  /** Options by which its test tries it. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How a service file uses it; null where naming it is enough. */
  readonly use: string | null;
}

/** A plugin of each kind, by its name. */
export const PLUGIN_TEMPLATES: Readonly<Record<TemplateKind, (name: string) => PluginTemplate>> = {
  probe: (name) => ({
    source: `import { defineProbe, type FoundHolder } from 'upkeep/plugin';
import * as v from 'valibot';

/** Who listens on a TCP port, as \`ss\` tells it. */
export default defineProbe({
  name: '${name}',
  api: 1,
  summary: 'Asks ss.',
  options: v.strictObject({}),
  permissions: { run: ['ss'] },
  async available(ctx) {
    return (await ctx.run('ss', ['-V'])).exit_code === 0;
  },
  async holders({ claims }, ctx) {
    const { stdout } = await ctx.run('ss', ['-H', '-lntp']);
    const holders = claims.flatMap((claim): FoundHolder[] => {
      if (claim.kind !== 'tcp') return [];
      const lines = stdout.split('\\n').filter((line) => line.split(/\\s+/)[3]?.endsWith(\`:\${claim.port}\`));
      return lines.flatMap((line) =>
        [...line.matchAll(/pid=(\\d+)/g)].map((match) => ({ claim, pid: Number(match[1]) })),
      );
    });
    // Whoever sees not everything must say so: "nobody" means "unknown" then.
    return { holders, complete: false };
  },
});
`,
    allow: { run: ['ss'] },
    options: {},
    use: `probes: { order: [procfs, ${name}] }`,
  }),
  health: (name) => ({
    source: `import { defineHealthCheck } from 'upkeep/plugin';
import * as v from 'valibot';

/** Whether a file holds a number that is not too large. */
export default defineHealthCheck({
  name: '${name}',
  api: 1,
  summary: 'The number in a file is not larger than it may be.',
  options: v.strictObject({
    file: v.pipe(v.string(), v.description('The file, absolute.')),
    max: v.pipe(v.optional(v.number(), 100), v.description('The largest number that is well.')),
  }),
  permissions: { read: ['*'] },
  async check({ file, max }, ctx) {
    // What throws could not look: the result is unknown, and restarts nothing.
    const number = Number(await ctx.readFile(file));
    return { status: number > max ? 'fail' : 'pass', message: \`\${number} of \${max}\`, data: { number } };
  },
});
`,
    allow: { read: ['/tmp'] },
    options: { file: '/tmp/number' },
    use: `health: [{ type: ${name}, file: /tmp/number }]`,
  }),
  rotate: (name) => ({
    source: `import { defineLogRotator } from 'upkeep/plugin';
import * as v from 'valibot';

/** A fresh log each day, unless there is hardly anything in it. */
export default defineLogRotator({
  name: '${name}',
  api: 1,
  summary: 'A log of a day that has some size is set aside.',
  options: v.strictObject({
    least: v.pipe(v.optional(v.number(), 4096), v.description('Bytes below which a log is left alone.')),
  }),
  decide({ size, begun_at, now }, { least }) {
    const isOld = now - begun_at >= 86_400_000;
    return isOld && size >= Math.max(1, least) ? { action: 'rotate', bytes: size } : { action: 'keep' };
  },
});
`,
    allow: {},
    options: {},
    use: `logs: { rotate: [{ type: restart }, { type: ${name} }] }`,
  }),
  notify: (name) => ({
    source: `import { defineNotifier } from 'upkeep/plugin';
import * as v from 'valibot';

/** Posts each event to a URL. */
export default defineNotifier({
  name: '${name}',
  api: 1,
  summary: 'Posts each event to a URL.',
  options: v.strictObject({ url: v.pipe(v.string(), v.url(), v.description('Where to.')) }),
  permissions: { net: ['*'] },
  async notify(event, { url }, ctx) {
    const { status } = await ctx.fetch(url, { method: 'POST', body: JSON.stringify(event) });
    // What throws is tried again later.
    if (status >= 300) throw new Error(\`\${url} answered \${status}\`);
  },
});
`,
    allow: { net: ['127.0.0.1'] },
    // Its test tells nobody: what it is asked there is whether it takes them.
    options: { url: 'http://127.0.0.1:9000/' },
    use: `notify: [{ type: ${name}, url: "http://127.0.0.1:9000/" }]`,
  }),
};

/** The test that stands beside a plugin. It runs on every Node, as upkeep itself loads the plugin. */
export function pluginTest(
  stem: string,
  allow: PluginTemplate['allow'],
  options: PluginTemplate['options'],
): string {
  return `import { test } from 'node:test';
import { openForTest } from 'upkeep/testing';

test('${stem}', async (t) => {
  const plugin = await openForTest(new URL('./${stem}.ts', import.meta.url), {
    allow: ${JSON.stringify(allow)},
    options: ${JSON.stringify(options)},
  });
  for (const { name, run } of plugin.cases) await t.test(name, run);
  plugin.close();
});
`;
}
