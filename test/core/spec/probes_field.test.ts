import { describe, expect, it } from 'vitest';
import { serviceFileJsonSchema } from '../../../core/spec/json_schema.ts';
import { accepted, REGISTRY, refused } from './support.ts';

function fileWith(probes: unknown): string {
  return JSON.stringify({ services: { s: { actions: { a: { run: 'x' } } } }, probes });
}

const probesOf = (probes: unknown) => accepted(fileWith(probes)).probes;

const issuesOf = (probes: unknown) =>
  refused(fileWith(probes)).map(({ path, rule, message }) => `${path} ${rule}: ${message}`);

describe('probes', () => {
  it('are all asked in their own order, one being enough, where the file does not say', () => {
    const every = { order: ['eyes', 'ears', 'nose'], quorum: 1 };
    expect(accepted(JSON.stringify({ services: {} })).probes).toEqual(every);
    expect(probesOf({})).toEqual(every);
  });

  it('are those that are named, in that order', () => {
    expect(probesOf({ order: ['nose', 'eyes'] })).toEqual({ order: ['nose', 'eyes'], quorum: 1 });
    expect(probesOf({ quorum: 2 })).toEqual({ order: ['eyes', 'ears', 'nose'], quorum: 2 });
  });

  it.each([
    [{ order: ['noes'] }, ["probes.order[0] choice: must be one of eyes, ears, nose (did you mean 'nose'?)"]],
    [{ order: ['eyes', 'hands'] }, ['probes.order[1] choice: must be one of eyes, ears, nose']],
    [{ order: [] }, ['probes.order probes: must name at least one probe']],
    [{ order: ['eyes', 'eyes'] }, ['probes.order probes: must name each probe once: eyes is there twice']],
    [{ order: 'eyes' }, ['probes.order type: must be a list']],
    [{ quorum: 3 }, ['probes.quorum range: must be a whole number from 1 to 2']],
    [{ quorum: 0 }, ['probes.quorum range: must be a whole number from 1 to 2']],
    [{ order: ['eyes'], quorum: 2 }, ['probes quorum: must name two probes in order for a quorum of 2']],
    [{ ordre: ['eyes'] }, ["probes.ordre unknown_key: is not known here (did you mean 'order'?)"]],
    [['eyes'], ['probes type: must be a map']],
  ])('refuses %j', (probes, issues) => {
    expect(issuesOf(probes)).toEqual(issues);
  });

  it('are in the JSON Schema by name', () => {
    expect(serviceFileJsonSchema(REGISTRY)).toMatchObject({
      properties: {
        probes: {
          additionalProperties: false,
          properties: {
            order: { type: 'array', items: { enum: ['eyes', 'ears', 'nose'] }, uniqueItems: true },
            quorum: { type: 'integer', minimum: 1, maximum: 2, default: 1 },
          },
        },
      },
    });
  });
});
