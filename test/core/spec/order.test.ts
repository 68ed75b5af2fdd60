import { describe, expect, it } from 'vitest';
import { dependents, findCycles, type Ordered, startOrder } from '../../../core/spec/order.ts';

function service(after: Readonly<Record<string, readonly string[]>>): Ordered {
  return {
    actions: Object.fromEntries(Object.entries(after).map(([name, names]) => [name, { after: names }])),
  };
}

const SHOP = service({ web: ['migrate', 'cache'], worker: ['cache'], cache: [], migrate: ['db'], db: [] });

describe('startOrder', () => {
  it('puts each action behind all that it comes after', () => {
    expect(startOrder(SHOP)).toEqual(['db', 'migrate', 'cache', 'web', 'worker']);
  });

  it('keeps the order of the file where nothing else is said', () => {
    expect(startOrder(service({ c: [], a: [], b: [] }))).toEqual(['c', 'a', 'b']);
  });

  it('names each action once in a diamond', () => {
    expect(startOrder(service({ d: ['b', 'c'], b: ['a'], c: ['a'], a: [] }))).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('dependents', () => {
  it('names those that come directly after', () => {
    expect(dependents(SHOP, 'cache')).toEqual(['web', 'worker']);
    expect(dependents(SHOP, 'db')).toEqual(['migrate']);
    expect(dependents(SHOP, 'web')).toEqual([]);
  });
});

describe('findCycles', () => {
  it.each([
    [{ a: ['b'], b: [] }, []],
    [{ a: ['b', 'c'], b: ['c'], c: [] }, []],
    [{ a: ['a'] }, [['a']]],
    [{ a: ['b'], b: ['a'] }, [['a', 'b']]],
    [{ x: ['a'], a: ['b'], b: ['c'], c: ['a'] }, [['a', 'b', 'c']]],
    [
      { a: ['b'], b: ['a'], c: ['d'], d: ['c'] },
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      { a: ['b', 'c'], b: ['a'], c: ['a'] },
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
    ],
    [{ a: ['nowhere'] }, []],
  ])('%j: %j', (graph, cycles) => {
    expect(findCycles(new Map(Object.entries(graph)))).toEqual(cycles);
  });

  it('looks at each name once, however many ways lead there', () => {
    const layers = 60;
    const graph = new Map<string, string[]>();
    for (let layer = 0; layer < layers; layer++) {
      const below = layer === layers - 1 ? [] : [`l${layer + 1}`, `r${layer + 1}`];
      graph.set(`l${layer}`, below).set(`r${layer}`, below);
    }
    expect(findCycles(graph)).toEqual([]);
  });
});
