/**
 * Problem documents in the OpenAPI document.
 */
import type { JsonSchema } from '@valibot/to-json-schema';
import { PROBLEMS, type ProblemCode, problem, problemType } from '../problem.ts';

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** The JSON Schema of every problem document. */
export const problemSchema: JsonSchema = {
  title: 'Problem',
  description: 'Why a request was not carried out (RFC 9457).',
  type: 'object',
  properties: {
    type: {
      type: 'string',
      enum: CODES.map(problemType),
      description: 'The kind of problem; it stays the same.',
    },
    title: { type: 'string', description: 'The kind of problem, in words.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    detail: { type: 'string', description: 'What is the matter this time.' },
    code: { type: 'string', enum: CODES, description: 'The kind of problem, short.' },
    issues: {
      type: 'array',
      description: 'Everything that is wrong with the input.',
      items: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description: 'Where: keys joined by dots; empty for the input as a whole.',
          },
          rule: { type: 'string', description: 'The rule that was broken.' },
          message: { type: 'string', description: 'What the rule asks for.' },
          value: { type: 'string', description: 'What was there; never what may be secret.' },
        },
        required: ['path', 'rule', 'message', 'value'],
      },
    },
    suggestion: { type: 'string', description: 'The name that was probably meant.' },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
};

/** The answers that these problems have, by status. */
export function problemResponses(codes: Iterable<ProblemCode>): Record<string, object> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, alike]) => [status, problemResponse(alike)]),
  );
}

function problemResponse(codes: readonly ProblemCode[]): object {
  return {
    description: codes.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join(', or '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(
          codes.map((code) => [code, { value: problem(code, 'what is the matter this time') }]),
        ),
      },
    },
  };
}
