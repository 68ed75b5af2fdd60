import { expect, test } from 'vitest';
import { Load } from '../../../adapters/http/load.ts';
import { metricsText } from '../../../adapters/http/metrics.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { FakeControl, fakeService } from '../../core/operation/fake_control.ts';

interface Figures {
  readonly values: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, string>;
}

/** Reads the text format, and refuses what is not in it. */
function figures(text: string): Figures {
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  const told = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') told.add(name);
    else if (word === 'TYPE') types.set(name, rest);
    else {
      const [, metric = '', labels = '', value = ''] =
        /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (-?[\d.e+-]+)$/.exec(line) ?? [];
      expect(told, line).toContain(metric);
      expect(types.get(metric), line).toMatch(/^(gauge|counter)$/);
      values.set(metric + labels, Number(value));
    }
  }
  return { values, types };
}

async function scrape(control = new FakeControl(), load = new Load(new OpenStreams())): Promise<Figures> {
  return figures(await metricsText({ control, load }));
}

test('services, by what they are at', async () => {
  const control = new FakeControl();
  const [action] = fakeService('web').actions;
  if (action === undefined) throw new Error('no action');
  control.list = [
    fakeService('web', { actions: [{ ...action, health: 'unhealthy' }] }),
    fakeService('db', {
      wanted: 'down',
      state: 'down',
      actions: [{ ...action, pid: null, started_at: null }],
    }),
  ];
  const { values, types } = await scrape(control);
  expect(
    Object.fromEntries(
      [...values].filter(
        ([name]) =>
          /^upkeep_(service|action)_/.test(name) &&
          !/state="(starting|degraded|retrying|stopping|failed)"/.test(name),
      ),
    ),
  ).toEqual({
    'upkeep_service_state{service="web",state="up"}': 1,
    'upkeep_service_state{service="web",state="down"}': 0,
    'upkeep_service_state{service="db",state="up"}': 0,
    'upkeep_service_state{service="db",state="down"}': 1,
    'upkeep_service_wanted{service="web"}': 1,
    'upkeep_service_wanted{service="db"}': 0,
    'upkeep_action_process_up{service="web",action="main"}': 1,
    'upkeep_action_process_up{service="db",action="main"}': 0,
    'upkeep_action_start_time_seconds{service="web",action="main"}': 1_700_000_000,
    'upkeep_action_restarts_total{service="web",action="main"}': 2,
    'upkeep_action_restarts_total{service="db",action="main"}': 2,
    'upkeep_action_attempt{service="web",action="main"}': 0,
    'upkeep_action_attempt{service="db",action="main"}': 0,
    'upkeep_action_healthy{service="web",action="main"}': 0,
  });
  expect(types.get('upkeep_action_restarts_total')).toBe('counter');
});

test('a restart counts on, and a name may be anything', async () => {
  const control = new FakeControl();
  control.list = [fakeService('a"b\\c\nd')];
  const { values } = await scrape(control);
  expect(values.get('upkeep_action_restarts_total{service="a\\"b\\\\c\\nd",action="main"}')).toBe(2);
  expect((await scrape(control)).values.get('upkeep_service_wanted{service="a\\"b\\\\c\\nd"}')).toBe(1);
});

test('upkeep itself', async () => {
  const control = new FakeControl();
  control.health = () => ({
    ...new FakeControl().health(),
    store: { code: 'STORE_DEGRADED', message: 'the disk is full', evidence: {} },
  });
  const load = new Load(new OpenStreams());
  const { values } = await load.within(() => scrape(control, load));
  expect(values.get('upkeep_info{version="0.0.0",instance="abc"}')).toBe(1);
  expect(values.get('upkeep_store_degraded')).toBe(1);
  expect(values.get('upkeep_http_requests_under_way')).toBe(1);
  expect(values.get('upkeep_http_streams_open')).toBe(0);
  expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  expect(values.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(values.get('upkeep_event_loop_active_seconds_total')).toBeGreaterThan(0);
  expect(values.get('upkeep_plugin_calls_total{plugin="procfs",kind="probe",source="built_in"}')).toBe(3);
});

test('without services there is nothing wrong', async () => {
  const control = new FakeControl();
  control.list = [];
  expect((await scrape(control)).values.get('upkeep_store_degraded')).toBe(0);
});
