/**
 * Which probes are asked who holds ports and sockets, as a service file says it.
 */
import * as v from 'valibot';
import { countField, wordField } from './fields.ts';
import type { SpecRegistry } from './registry.ts';
import { choice, fields, LIST_RULE, rule } from './schema_kit.ts';
import type { ProbesSpec } from './spec.ts';

/** The schema of the field `probes`, with the probes there are. */
export function probesField({ probes, incomplete }: Pick<SpecRegistry, 'probes' | 'incomplete'>) {
  const names = probes.map(({ name }) => name);
  // What no probe is called may be the name of one that could not be loaded.
  const order = v.pipe(
    v.array(incomplete ? wordField : choice(names), LIST_RULE),
    v.metadata({ minItems: 1, uniqueItems: true }),
    rule('probes', (written: string[]) => {
      if (written.length === 0) throw new RangeError('must name at least one probe');
      const twice = written.find((name, index) => written.indexOf(name) !== index);
      if (twice !== undefined) throw new RangeError(`must name each probe once: ${twice} is there twice`);
      return written;
    }),
  );
  const shape = fields(
    {
      order: v.pipe(
        v.optional(order, names),
        v.description(
          'The probes that are asked, the first that is there and sees everything being believed. Others are not asked.',
        ),
      ),
      quorum: v.pipe(
        v.optional(countField(1, 2), 1),
        v.description(
          '2: two probes are asked at once. A port or socket counts as held where either sees a holder, and where they disagree that is told.',
        ),
      ),
    },
    'How upkeep finds out who holds a port or a socket.',
  );
  return v.pipe(
    shape,
    rule('quorum', ({ order, quorum }): ProbesSpec => {
      if (quorum > order.length) throw new RangeError(`must name two probes in order for a quorum of 2`);
      return { order, quorum: quorum === 2 ? 2 : 1 };
    }),
  );
}
