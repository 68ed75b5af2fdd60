/**
 * The paths that stand for no single operation.
 */
import type { ProblemCode } from '../problem.ts';
import { problemResponses } from './problem_schema.ts';

/** How what needs a token over TCP can be refused. */
const ACCESS = ['unauthorized', 'rate_limited', 'forbidden'] as const;

const get = (
  operationId: string,
  summary: string,
  problems: readonly ProblemCode[],
  responses: object,
): Record<string, unknown> => ({
  get: {
    operationId,
    summary,
    tags: ['meta'],
    responses: { ...responses, ...problemResponses([...problems, 'internal']) },
  },
});

const answer = (description: string, type: string, schema: object = { type: 'string' }): object => ({
  description,
  content: { [type]: { schema } },
});

/** What is served beside the operations, as OpenAPI path items. */
export const OTHER_PATHS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '/readyz': {
    get: {
      operationId: 'readyz',
      summary: 'Tell whether upkeep works as it should.',
      tags: ['meta'],
      responses: {
        200: answer('It does.', 'application/json', { $ref: '#/components/schemas/DaemonHealth' }),
        503: answer('Its store fails; services go on.', 'application/json', {
          $ref: '#/components/schemas/DaemonHealth',
        }),
        ...problemResponses(ACCESS),
      },
    },
  },
  '/metrics': get('metrics', 'Figures for Prometheus, taken at this moment.', ACCESS, {
    200: answer('The figures.', 'text/plain'),
  }),
  '/openapi.json': get('openapi', 'This document.', ['forbidden'], {
    200: answer('An OpenAPI 3.1 document.', 'application/json', { type: 'object' }),
  }),
  '/docs': get('docs', 'This document as a page.', ['forbidden'], { 200: answer('A page.', 'text/html') }),
  '/rpc': {
    post: {
      operationId: 'rpc',
      summary: 'Call operations by JSON-RPC 2.0; `rpc.discover` answers with the OpenRPC document.',
      tags: ['meta'],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { type: ['object', 'array'] },
            example: { jsonrpc: '2.0', id: 1, method: 'service.get', params: { name: 'shop' } },
          },
        },
      },
      responses: {
        200: answer('The response, or those of a batch.', 'application/json', { type: ['object', 'array'] }),
        204: { description: 'There were notifications only.' },
        ...problemResponses([...ACCESS, 'too_large', 'unsupported_media_type', 'too_busy', 'internal']),
      },
    },
  },
};
