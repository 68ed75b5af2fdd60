/**
 * `/mcp`: loaded with the first request to it, as many daemons never see one.
 */
import type { Control } from '../../core/supervisor/control.ts';
import type { AppOptions } from './app.ts';

/** Answers the requests to `/mcp`. */
export function mcpRoute(
  control: Control,
  options: Pick<AppOptions, 'clock' | 'streams' | 'report'>,
): (request: Request) => Promise<Response> {
  const load = async () => {
    const [{ McpHttp }, { localPort }, { upkeepFace }] = await Promise.all([
      import('../mcp/http.ts'),
      import('../mcp/port.ts'),
      import('../mcp/upkeep_face.ts'),
    ]);
    const { version } = control.health();
    return {
      http: new McpHttp({ ...options, version }),
      face: upkeepFace(localPort(control, { scope: 'admin', read_only: false })),
    };
  };
  let loaded: ReturnType<typeof load> | null = null;
  return async (request) => {
    loaded ??= load();
    const { http, face } = await loaded;
    return http.handle(request, { face, key: 'owner' });
  };
}
