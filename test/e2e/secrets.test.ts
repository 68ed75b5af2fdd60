/**
 * Secrets of services, planted wherever a service file can have them, and looked for in everything that upkeep says.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { REDACTED } from '../../core/access/redactor.ts';
import { OPERATIONS, type OperationName } from '../../core/operation/table.ts';
import { Database } from '../../core/store/database.ts';
import { freePort, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

/** Each from another place. */
const SECRETS = {
  env: 'env-hunter2-AAAA',
  file: 'file-hunter2-BBBB',
  option: 'option-hunter2-CCCC',
  word: 'word-hunter2-DDDD',
  url: 'url-hunter2-EEEE',
  inline: 'inline-hunter2-FFFF',
} as const;

/** What takes something to be asked about, beside an example that fits. */
type Inputs = Partial<Record<OperationName, Record<string, unknown>>>;

let box: Sandbox;
afterEach(() => box.remove());

it('no answer, event, log of upkeep or audit has one', async () => {
  const port = await freePort();
  box = new Sandbox({});
  fs.writeFileSync(box.path('secrets.env'), `FILE_TOKEN=${SECRETS.file}\n`);
  const env = { API_TOKEN: SECRETS.env, DATABASE_URL: `postgres://shop:${SECRETS.url}@127.0.0.1/shop` };
  const variables = { env, env_file: 'secrets.env' };
  const everything = 'echo "$API_TOKEN $FILE_TOKEN $DATABASE_URL"';
  box.write({
    // It tells them all, and dies; why shows its last lines.
    crashing: { actions: { main: { process: true, run: `${everything}; exit 3`, ...variables } } },
    // They are arguments of what holds a port.
    holding: {
      actions: {
        main: {
          process: true,
          run: [
            process.execPath,
            '-e',
            `require('net').createServer().listen(${port}, '127.0.0.1')`,
            '--',
            `--password=${SECRETS.option}`,
            '--token',
            SECRETS.word,
          ],
          tcp_ports: [`127.0.0.1:${port}`],
          ...variables,
        },
      },
    },
    // A check repeats what it was told, in its message and its data.
    checked: {
      actions: {
        main: {
          process: true,
          run: 'exec sleep 1000',
          ...variables,
          health: [
            {
              type: 'exec',
              run: ['sh', '-c', `echo "said ${SECRETS.env} DB_PASSWORD=${SECRETS.inline}"; exit 2`],
              interval: '100ms',
              failures: 2,
            },
          ],
        },
      },
    },
    // It cannot be started, and the reason names the program.
    missing: {
      actions: { main: { process: true, run: [`/nowhere/${SECRETS.env}`], ...variables } },
    },
  });
  await box.up();
  await until(async () => (await box.action('checked')).restart_count > 0);
  await until(async () => (await box.action('crashing')).restart_count > 0);
  await until(async () => (await box.service('holding')).state === 'up');
  await box.client.service.stop({ name: SECRETS.env }).catch(() => {});

  const said: Record<string, string> = {};
  const keep = (what: string, value: unknown): void => {
    said[what] = typeof value === 'string' ? value : JSON.stringify(value);
  };
  const job = (await box.action('crashing')).job_id ?? '';
  const inputs: Inputs = {
    'job.get': { id: job },
    'run.get': { id: (await box.service('crashing')).run_id },
    'holder.find': { tcp_port: port },
  };
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    const { kind, example } = OPERATIONS[name];
    if (kind !== 'query' || name === 'token.list') continue;
    for (const service of ['crashing', 'holding', 'checked', 'missing']) {
      const input =
        inputs[name] ?? (name.startsWith('service.') && name !== 'service.list' ? { name: service } : {});
      const answer = await box.client
        .call(name as 'health.get', input as never)
        .catch(() => box.client.call(name as 'health.get', (example?.input ?? {}) as never))
        .catch((error: Error) => error.message);
      keep(`${name} ${service}`, answer);
    }
  }
  for await (const event of box.client.event.stream({ after: 0 })) {
    keep(`event ${event.seq}`, event);
    if (event.code === 'EXITED') break;
  }
  keep('why checked by the command line', (await box.cli('why', 'checked')).stdout);
  // What a service writes into its own log is its own.
  const log: Uint8Array[] = [];
  for await (const chunk of box.client.job.log({ id: job })) log.push(chunk);
  expect(Buffer.concat(log).toString()).toContain(SECRETS.env);
  await box.down();
  keep('log', box.output);
  const database = Database.open(join(box.state, 'upkeep.db'), { files: fs, busy_timeout: 1000 });
  keep('stored events', database.select(['message', 'evidence'], 'FROM events'));
  keep('stored jobs', database.select(['reason', 'phase_state'], 'FROM jobs'));
  keep('stored audit', database.select(['operation', 'target', 'code', 'principal'], 'FROM audit'));
  database.close();

  const told = Object.entries(said).flatMap(([what, text]) =>
    Object.entries(SECRETS).flatMap(([where, secret]) =>
      text.includes(secret)
        ? [
            `${where}: ${what}: ${text.slice(Math.max(0, text.indexOf(secret) - 60), text.indexOf(secret) + 20)}`,
          ]
        : [],
    ),
  );
  expect(told).toEqual([]);
  // They were there to be told.
  for (const what of [
    'service.why crashing',
    'service.why checked',
    'holder.find holding',
    'event.list crashing',
    'log',
    'audit.list crashing',
  ]) {
    expect([what, said[what]?.includes(REDACTED)]).toEqual([what, true]);
  }
});
