/**
 * What is served beside the operations: documents, figures, JSON-RPC. Each loads what it needs with the first request, so
 * that a daemon that nobody asks stays small.
 */
import type { Context } from 'hono';
import { invoke } from '../../core/operation/invoke.ts';
import type { OperationContext } from '../../core/operation/operation.ts';
import type { Control } from '../../core/supervisor/control.ts';
import { tagged, taggedResponse } from './etag.ts';
import type { Load } from './load.ts';
import { once } from './once.ts';
import { bodyText } from './request_input.ts';
import { SPEC_BODY } from './routes.ts';

/** What these paths need. */
export interface MetaSources {
  readonly control: Control;
  readonly load: Load;
  readonly report: (error: unknown) => void;
  /** Who calls. */
  readonly contextOf: (c: Context, signal: AbortSignal) => OperationContext;
}

/** A path that stands for no single operation. */
export interface MetaRoute {
  readonly method: 'GET' | 'POST';
  /** As Hono writes it. */
  readonly path: string;
  readonly handle: (c: Context) => Response | Promise<Response>;
}

/** The paths beside the operations. */
export function metaRoutes({ control, load, report, contextOf }: MetaSources): MetaRoute[] {
  const get = (path: string, handle: MetaRoute['handle']): MetaRoute => ({ method: 'GET', path, handle });
  const openApi = once(async () => {
    const { openApiDocument } = await import('./openapi/document.ts');
    return JSON.stringify(openApiDocument(control.health().version));
  });
  const openRpc = once(async () => {
    const { openRpcDocument } = await import('../openrpc/document.ts');
    return openRpcDocument(control.health().version);
  });
  return [
    get('/readyz', (c) => {
      const health = control.health();
      return c.json(health, health.status === 'ok' ? 200 : 503);
    }),
    get('/openapi.json', async (c) =>
      taggedResponse(ifNoneMatch(c), tagged(await openApi()), 'application/json'),
    ),
    // The link that is told at the start leads here.
    get('/', (c) => c.redirect('/docs')),
    get('/docs', async (c) => (await import('./docs.ts')).docsPage(ifNoneMatch(c))),
    get('/docs/:file', async (c) =>
      (await import('./docs.ts')).docsFile(c.req.param('file') ?? '', ifNoneMatch(c)),
    ),
    get('/metrics', async () => {
      const { METRICS_TYPE, metricsText } = await import('./metrics.ts');
      const text = await metricsText({ control, load });
      return new Response(text, { headers: { 'content-type': METRICS_TYPE, 'cache-control': 'no-store' } });
    }),
    {
      method: 'POST',
      path: '/rpc',
      handle: (c) =>
        load.within(async () => {
          const { answerRpc } = await import('../openrpc/rpc.ts');
          const text = await bodyText(c.req, SPEC_BODY);
          const context = contextOf(c, new AbortController().signal);
          const answer = await answerRpc(text, {
            call: (name, input) => invoke(control, name, input, context),
            discover: openRpc,
            report,
          });
          return answer === null
            ? new Response(null, { status: 204 })
            : new Response(answer, { headers: { 'content-type': 'application/json' } });
        }),
    },
  ];
}

function ifNoneMatch(c: Context): string | undefined {
  return c.req.header('if-none-match');
}
