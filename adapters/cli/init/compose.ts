/**
 * From a docker-compose file. A container needs what stands there, so each stays in the compose file and is started
 * through it: what upkeep adds is that it stays up, in order, and is looked at.
 */
import { parse } from 'yaml';
import { formatDuration, parseDuration } from '../../../core/spec/mod.ts';
import { CannotConvert, type Draft, type DraftAction, renamed, safeName } from './draft.ts';

type Entry = Readonly<Record<string, unknown>>;

/**
 * One service with an action for each service of a compose file, in the order of `depends_on`.
 *
 * @param file how the compose file is called, in the folder that the containers are started in.
 * @param project what the service is to be called where the compose file has no name.
 * @throws {@link CannotConvert}
 */
export function fromCompose(text: string, file: string, project: string): Draft {
  const data: unknown = parsed(text);
  const services = isEntry(data) ? data['services'] : undefined;
  if (!isEntry(services)) throw new CannotConvert('the compose file has no services');
  const taken = new Set<string>();
  const names = new Map(Object.keys(services).map((wanted) => [wanted, safeName(wanted, taken)]));
  if (names.size === 0) throw new CannotConvert('the compose file has no services');
  const wanted = isEntry(data) && typeof data['name'] === 'string' ? data['name'] : project;
  const name = safeName(wanted, new Set());
  const actions = [...names].map(([service, action]) =>
    actionOf(service, action, isEntry(services[service]) ? services[service] : {}, names, file),
  );
  return {
    remarks: ['what makes a container (image, environment, volumes, networks) stays in the compose file'],
    services: [{ name, remarks: renamed(wanted, name), actions: withoutSharedPorts(actions) }],
  };
}

function parsed(text: string): unknown {
  try {
    return parse(text, { merge: true });
  } catch (error) {
    throw new CannotConvert(`the compose file cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
}

function actionOf(
  service: string,
  name: string,
  entry: Entry,
  names: ReadonlyMap<string, string>,
  file: string,
): DraftAction {
  const compose = ['docker', 'compose', '-f', file];
  const remarks = renamed(service, name);
  const ports = hostPorts(entry['ports'], remarks);
  const after = dependencies(entry['depends_on']).flatMap((other) => names.get(other) ?? []);
  const grace = duration(entry['stop_grace_period']);
  const health = healthOf(entry['healthcheck'], [...compose, 'exec', '-T', service], remarks);
  if (entry['profiles'] !== undefined) remarks.push('it is started always, whatever its profiles');
  const { replicas } = (isEntry(entry['deploy']) ? entry['deploy'] : {}) as { replicas?: unknown };
  const scale = entry['scale'] ?? replicas;
  if (scale !== undefined && scale !== 1)
    remarks.push(`upkeep keeps it as one, not ${String(scale)} (scale, replicas)`);
  const claims = {
    ...(ports.tcp.length > 0 ? { tcp_ports: ports.tcp } : {}),
    ...(ports.udp.length > 0 ? { udp_ports: ports.udp } : {}),
    // The ports are held by docker itself.
    ...(ports.tcp.length + ports.udp.length > 0 ? { ready: { claims: 'open', timeout: '2m' } } : {}),
  };
  const fields = {
    process: true,
    run: [...compose, 'up', '--no-deps', '--no-color', '--abort-on-container-exit', service],
    ...(after.length > 0 ? { after } : {}),
    ...claims,
    ...(health === null ? {} : { health: [health] }),
    ...restartOf(entry['restart']),
    stop: { timeout: formatDuration((grace ?? 10_000) + 5000) },
  };
  return { name, fields, remarks };
}

/** What does not say is kept up: that is what upkeep is there for. */
function restartOf(value: unknown): object {
  if (value === false || value === 'no') return { restart: { policy: 'never' } };
  const [failing, most] = /^on-failure(?::(\d+))?$/.exec(String(value)) ?? [];
  if (failing === undefined) return {};
  const limit = most === undefined ? {} : { max_attempts: Number(most) };
  return { restart: { policy: 'on_failure', ...limit } };
}

function dependencies(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return isEntry(value) ? Object.keys(value) : [];
}

interface HostPorts {
  readonly tcp: (number | string)[];
  readonly udp: (number | string)[];
}

function hostPorts(value: unknown, remarks: string[]): HostPorts {
  const found: HostPorts = { tcp: [], udp: [] };
  for (const port of Array.isArray(value) ? value : []) {
    const claim = hostPort(port);
    if (claim === null)
      remarks.push(`the port ${JSON.stringify(port)} is not watched: it is chosen by docker, or a range`);
    else found[claim.kind].push(claim.address === null ? claim.port : `${claim.address}:${claim.port}`);
  }
  return found;
}

function hostPort(value: unknown): { kind: 'tcp' | 'udp'; address: string | null; port: number } | null {
  const written = isEntry(value)
    ? `${value['host_ip'] ?? ''}:${value['published'] ?? ''}:${value['target'] ?? ''}/${value['protocol'] ?? 'tcp'}`
    : String(value);
  const [, address = '', digits, kind = 'tcp'] =
    /^(?:([\d.]*):)?(\d+):\d+(?:\/(tcp|udp))?$/.exec(written) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) return null;
  return { kind: kind as 'tcp' | 'udp', address: address === '' ? null : address, port };
}

/** A check that runs in the container, as compose's own does. */
function healthOf(value: unknown, exec: readonly string[], remarks: string[]): object | null {
  if (!isEntry(value) || value['disable'] === true) return null;
  const { test } = value;
  const [kind, ...rest] = Array.isArray(test) ? test.map(String) : ['CMD-SHELL', String(test ?? '')];
  if (kind === 'NONE' || rest.length === 0 || rest[0] === '') return null;
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') {
    remarks.push('its health check could not be read');
    return null;
  }
  const run = [...exec, ...(kind === 'CMD' ? rest : ['sh', '-c', rest.join(' ')])];
  const retries = Number(value['retries'] ?? 3);
  const start = duration(value['start_period']);
  return {
    type: 'exec',
    run,
    interval: formatDuration(duration(value['interval']) ?? 30_000),
    timeout: formatDuration(duration(value['timeout']) ?? 30_000),
    ...(Number.isInteger(retries) && retries > 0 ? { failures: retries } : {}),
    ...(start === null ? {} : { start_period: formatDuration(start) }),
  };
}

function duration(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  try {
    const ms = parseDuration(value);
    return ms > 0 ? ms : null;
  } catch {
    return null;
  }
}

/** Two containers cannot publish the same port, so that only one of them is ever up: upkeep would refuse the file. */
function withoutSharedPorts(actions: readonly DraftAction[]): DraftAction[] {
  const seen = new Set<string>();
  return actions.map((action) => {
    const keys = (['tcp_ports', 'udp_ports'] as const).flatMap((field) =>
      ((action.fields[field] ?? []) as unknown[]).map(
        (port) => `${field} ${String(port).replace(/^.*:/, '')}`,
      ),
    );
    if (!keys.some((key) => seen.has(key))) {
      for (const key of keys) seen.add(key);
      return action;
    }
    const { tcp_ports: _, udp_ports: __, ready: ___, ...fields } = action.fields;
    return {
      ...action,
      fields,
      remarks: [...action.remarks, 'its ports are those of another one: not watched'],
    };
  });
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
