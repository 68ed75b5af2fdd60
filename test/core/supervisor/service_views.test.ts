import { describe, expect, it } from 'vitest';
import type { CheckState } from '../../../core/health/health_watch.ts';
import { jobHealth } from '../../../core/health/verdict.ts';
import type { Job } from '../../../core/job/job.ts';
import { reason } from '../../../core/job/reason.ts';
import type { ActionSpec } from '../../../core/spec/mod.ts';
import type { JobRuntime, ServiceRuntime } from '../../../core/supervisor/runtime.ts';
import { ServiceViews } from '../../../core/supervisor/service_views.ts';

const IDENTITY = { boot_id: 'b', pid: 7, start_time: 1 };

// A view reads nothing of these records but what they have here.
function jobOf(name: string, fields: Partial<Job> = {}): Job {
  const common = { id: name, action: name, restart_count: 0, attempt: 0, started_at: 5 };
  return {
    ...common,
    phase: 'running',
    identity: IDENTITY,
    reason: reason('READY', 'is ready'),
    ...fields,
  } as Job;
}

function runtimeOf(job: Job, process = true): JobRuntime {
  return { job, spec: { process } as ActionSpec } as JobRuntime;
}

function checkOf(health: 'healthy' | 'unhealthy', at: number): CheckState {
  return {
    spec: { type: 'tcp', role: 'liveness', on_failure: 'report' },
    standing: { health, passes: 0, fails: 1, has_passed: true },
    last: { status: 'pass', message: 'm', data: {}, at, duration: 1 },
  } as CheckState;
}

class World {
  readonly checks = new Map<string, CheckState[]>();
  readonly shop = this.service('shop', [runtimeOf(jobOf('web')), runtimeOf(jobOf('db'))]);
  readonly blog = this.service('blog', [runtimeOf(jobOf('site'))]);
  readonly views = new ServiceViews(this.known());

  service(name: string, jobs: JobRuntime[]): ServiceRuntime {
    return { row: { name, wanted: 'up', run_id: 'r' }, jobs, leaving: false } as unknown as ServiceRuntime;
  }

  known() {
    const checks = (id: string): readonly CheckState[] => this.checks.get(id) ?? [];
    return {
      checks,
      health: (id: string) => jobHealth(checks(id).map(({ standing }) => standing.health)),
    };
  }

  list() {
    return this.views.list([this.shop, this.blog]);
  }

  /** What somebody would say who has kept nothing. */
  anew() {
    return new ServiceViews(this.known()).list([this.shop, this.blog]);
  }
}

const CHANGES: Record<string, (world: World, web: JobRuntime) => void> = {
  'what is wanted': ({ shop }) => {
    shop.row = { ...shop.row, wanted: 'down' };
  },
  'the run': ({ shop }) => {
    shop.row = { ...shop.row, run_id: 'r2' };
  },
  'that it leaves the file': ({ shop }) => {
    shop.leaving = true;
  },
  'a job': (_, web) => {
    web.job = jobOf('web', { restart_count: 1 });
  },
  'a job back to what it said before': (_, web) => {
    web.job = { ...web.job };
  },
  'what the file says of an action': (_, web) => {
    web.spec = { ...web.spec, process: false };
  },
  'the jobs there are': ({ shop }) => {
    shop.jobs.pop();
  },
  'a job that is added': ({ shop }) => {
    shop.jobs.push(runtimeOf(jobOf('cache', { phase: 'pending' })));
  },
  'the order of the jobs': ({ shop }) => {
    shop.jobs.reverse();
  },
  'a first look': ({ checks }) => {
    checks.set('web', [checkOf('healthy', 1)]);
  },
};

describe('a view', () => {
  it.each(Object.entries(CHANGES))('is made again when this has changed: %s', (_, change) => {
    const world = new World();
    const [shop, blog] = world.list();
    const [web] = world.shop.jobs as [JobRuntime];
    change(world, web);
    const after = world.list();
    expect(after[0]).not.toBe(shop);
    expect(after[1]).toBe(blog);
    expect(after).toEqual(world.anew());
  });

  it('follows its checks, whatever of a look is new', () => {
    const world = new World();
    world.checks.set('web', [checkOf('healthy', 1), checkOf('healthy', 1)]);
    const before = world.list();
    expect(world.list()).toBe(before);
    world.checks.set('web', [checkOf('healthy', 1), checkOf('healthy', 2)]);
    expect(world.list()[0]?.actions[0]?.checks[1]?.looked_at).toBe(2);
    world.checks.set('web', [checkOf('healthy', 1), checkOf('unhealthy', 3)]);
    expect(world.list()[0]).toMatchObject({
      state: 'degraded',
      actions: [{ reason: { code: 'UNHEALTHY' } }, {}],
    });
    world.checks.delete('web');
    expect(world.list()).toEqual(world.anew());
  });
});

describe('a list', () => {
  it('is one frozen array for as long as nothing changes', () => {
    const world = new World();
    const list = world.list();
    expect(Object.isFrozen(list)).toBe(true);
    expect(world.list()).toBe(list);
    expect(world.views.view(world.shop)).toBe(list[0]);
  });

  it('is another where a service has come or gone, or the order is another', () => {
    const { views, shop, blog } = new World();
    expect(views.list([])).toEqual([]);
    expect(views.list([shop, blog]).map(({ name }) => name)).toEqual(['shop', 'blog']);
    expect(views.list([blog, shop]).map(({ name }) => name)).toEqual(['blog', 'shop']);
    expect(views.list([blog]).map(({ name }) => name)).toEqual(['blog']);
    expect(views.list([])).toEqual([]);
  });
});
