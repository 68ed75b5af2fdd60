import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import { inProcessNotifier } from '../../core/plugin/notifier.ts';
import type { EventRecord } from '../../core/store/records.ts';
import { execNotifier } from '../../plugins/notify_exec.ts';
import { anEvent } from '../core/notify/support.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-exec-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function tell(run: unknown, event: EventRecord = anEvent(7)): Promise<void> {
  const notifier = inProcessNotifier(execNotifier, nodeHost());
  return notifier.notify(event, v.parse(execNotifier.options, { run }), new AbortController().signal);
}

describe('a program that is told', () => {
  it('finds the event and its main fields in its environment', async () => {
    const file = join(dir, 'told');
    await tell(`env | grep '^UPKEEP_' | sort > ${file}`);
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    expect(lines).toEqual([
      `UPKEEP_EVENT=${JSON.stringify(anEvent(7))}`,
      'UPKEEP_EVENT_ACTION=web',
      'UPKEEP_EVENT_CODE=UNHEALTHY',
      'UPKEEP_EVENT_FROM=running',
      'UPKEEP_EVENT_MESSAGE=is not well',
      'UPKEEP_EVENT_SEQ=7',
      'UPKEEP_EVENT_SERVICE=shop',
      'UPKEEP_EVENT_TIME=1700000000007',
      'UPKEEP_EVENT_TO=retrying',
    ]);
  });

  it('is told of what no variable can hold, as far as it can', async () => {
    const file = join(dir, 'told');
    const event = anEvent(7, { service: null, message: 'a\0b' });
    await tell(`printf '%s|%s' "$UPKEEP_EVENT_SERVICE" "$UPKEEP_EVENT_MESSAGE" > ${file}`, event);
    expect(readFileSync(file, 'utf8')).toBe('|ab');
  });

  it('may be a list, which no shell reads', async () => {
    const file = join(dir, '$HOME');
    await tell(['touch', file]);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it.each([
    ['exit 3', 'exited with code 3'],
    ['echo s3cret >&2; exit 1', 'exited with code 1'],
    ['kill -9 $$', 'was killed'],
    [['/no/such/s3cret'], 'there is no such program'],
    [['/etc/passwd', 's3cret'], 'could not be run: EACCES'],
  ])('%j: %s', async (run, message) => {
    await expect(tell(run)).rejects.toMatchObject({ name: 'Error', message });
  });
});

describe('the options of exec', () => {
  it.each([{}, { run: '' }, { run: [] }, { run: [''] }, { run: 'x', cwd: '/' }])(
    'are refused: %j',
    (options) => {
      expect(v.safeParse(execNotifier.options, options).success).toBe(false);
    },
  );
});
