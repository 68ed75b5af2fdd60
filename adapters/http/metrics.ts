/**
 * Figures for Prometheus. Everything is read when it is asked for, so that nothing counts while nobody looks.
 */
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Control, ServiceState } from '../../core/supervisor/control.ts';
import type { Load } from './load.ts';

/** What is told of besides what the control knows. */
export interface MetricsSources {
  readonly control: Pick<Control, 'services' | 'health' | 'plugins'>;
  readonly load: Load;
}

/** The media type of the figures. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

const STATES: readonly ServiceState[] = [
  'up',
  'starting',
  'degraded',
  'retrying',
  'stopping',
  'down',
  'failed',
];

/** The figures of this moment, in the text format of Prometheus. */
export function metricsText({ control, load }: MetricsSources): Promise<string> {
  const registry = new Registry();
  servicesInto(registry, control);
  pluginsInto(registry, control);
  ownInto(registry, control, load);
  return registry.metrics();
}

function servicesInto(registry: Registry, control: MetricsSources['control']): void {
  const registers = [registry];
  const state = new Gauge({
    name: 'upkeep_service_state',
    help: 'What a service is at: 1 for its state, 0 for every other.',
    labelNames: ['service', 'state'],
    registers,
  });
  const wanted = new Gauge({
    name: 'upkeep_service_wanted',
    help: 'Whether a service is wanted up.',
    labelNames: ['service'],
    registers,
  });
  const labelNames = ['service', 'action'] as const;
  const up = new Gauge({
    name: 'upkeep_action_process_up',
    help: 'Whether an action has a live main process.',
    labelNames,
    registers,
  });
  const started = new Gauge({
    name: 'upkeep_action_start_time_seconds',
    help: 'When the latest incarnation of an action was spawned, seconds since 1970.',
    labelNames,
    registers,
  });
  const restarts = new Counter({
    name: 'upkeep_action_restarts_total',
    help: 'How often the program of an action was started again in its job.',
    labelNames,
    registers,
  });
  const attempt = new Gauge({
    name: 'upkeep_action_attempt',
    help: 'The current streak of failed tries of an action.',
    labelNames,
    registers,
  });
  const healthy = new Gauge({
    name: 'upkeep_action_healthy',
    help: 'Whether the health checks of an action pass; absent where nobody knows.',
    labelNames,
    registers,
  });
  for (const service of control.services()) {
    for (const each of STATES) {
      state.set({ service: service.name, state: each }, Number(each === service.state));
    }
    wanted.set({ service: service.name }, Number(service.wanted === 'up'));
    for (const { action, pid, started_at, restart_count, attempt: streak, health } of service.actions) {
      const labels = { service: service.name, action };
      up.set(labels, Number(pid !== null));
      restarts.inc(labels, restart_count);
      attempt.set(labels, streak);
      if (started_at !== null) started.set(labels, started_at / 1000);
      if (health !== 'unknown') healthy.set(labels, Number(health === 'healthy'));
    }
  }
}

function pluginsInto(registry: Registry, control: MetricsSources['control']): void {
  const labelNames = ['plugin', 'kind', 'source'] as const;
  const registers = [registry];
  const calls = new Counter({
    name: 'upkeep_plugin_calls_total',
    help: 'How often a plugin was asked.',
    labelNames,
    registers,
  });
  const faults = new Counter({
    name: 'upkeep_plugin_faults_total',
    help: 'How often a plugin failed.',
    labelNames,
    registers,
  });
  for (const plugin of control.plugins()) {
    const labels = { plugin: plugin.name ?? '', kind: plugin.kind ?? '', source: plugin.source };
    calls.inc(labels, plugin.calls);
    faults.inc(labels, plugin.faults);
  }
}

function ownInto(registry: Registry, control: MetricsSources['control'], load: Load): void {
  const registers = [registry];
  const { version, instance, started_at, store } = control.health();
  const gauge = (name: string, help: string, value: number): void =>
    new Gauge({ name, help, registers }).set(value);
  const counter = (name: string, help: string, value: number): void =>
    new Counter({ name, help, registers }).inc(value);

  new Gauge({
    name: 'upkeep_info',
    help: 'Which upkeep this is.',
    labelNames: ['version', 'instance'],
    registers,
  }).set({ version, instance }, 1);
  gauge('upkeep_store_degraded', 'Whether the store fails.', Number(store !== null));
  gauge('upkeep_http_requests_under_way', 'HTTP requests under way.', load.requests);
  gauge('upkeep_http_streams_open', 'Streams that somebody reads.', load.streams);

  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  gauge('process_resident_memory_bytes', "upkeep's own resident memory.", rss);
  gauge('nodejs_heap_size_used_bytes', "upkeep's own heap in use.", heapUsed);
  gauge('nodejs_heap_size_total_bytes', "upkeep's own heap.", heapTotal);
  gauge('nodejs_external_memory_bytes', "upkeep's own memory outside of the heap.", external);
  gauge('process_start_time_seconds', 'When upkeep started, seconds since 1970.', started_at / 1000);
  const { user, system } = process.cpuUsage();
  counter('process_cpu_seconds_total', "upkeep's own processor time.", (user + system) / 1e6);
  // Its rate is how busy the loop is: 1 would leave no time for anything else.
  const { active } = performance.eventLoopUtilization();
  counter('upkeep_event_loop_active_seconds_total', "How long upkeep's event loop was busy.", active / 1000);
}
