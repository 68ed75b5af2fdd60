/**
 * The OpenAPI document as a page: Swagger UI, served from the package, with nothing loaded from outside.
 */
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { namesTag, tagged, taggedResponse } from './etag.ts';
import { RequestProblem } from './problem.ts';

/** Where the build puts the files of Swagger UI. */
export const DOCS_FOLDER = fileURLToPath(new URL('./docs/', import.meta.url));

/** The files of Swagger UI that the page needs, and their media types. */
export const DOCS_FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

/** Headers that keep the page to itself: a browser loads nothing from elsewhere and tells nobody of it. */
export const DOCS_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    // Swagger UI sets styles of its elements.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>upkeep: HTTP interface</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

// The validator badge would send the document to a server of others.
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#ui',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

/** The page. */
export function docsPage(ifNoneMatch: string | undefined): Response {
  return taggedResponse(ifNoneMatch, tagged(PAGE), 'text/html; charset=utf-8', DOCS_HEADERS);
}

/**
 * A file of the page.
 *
 * @throws {@link RequestProblem} where it has no such file, or the package was built without.
 */
export async function docsFile(
  name: string,
  ifNoneMatch: string | undefined,
  folder = DOCS_FOLDER,
): Promise<Response> {
  if (name === 'start.js') {
    return taggedResponse(ifNoneMatch, tagged(START), 'text/javascript; charset=utf-8', DOCS_HEADERS);
  }
  const type = Object.hasOwn(DOCS_FILES, name) ? DOCS_FILES[name as keyof typeof DOCS_FILES] : null;
  if (type === null) throw new RequestProblem('no_route', `the page has no file '${name}'`);
  const path = join(folder, name);
  const found: Stats | null = await stat(path).catch(() => null);
  if (found === null) {
    throw new RequestProblem('no_route', `'${name}' is not there: this upkeep was built without it`);
  }
  const etag = `"${found.size.toString(36)}-${found.mtimeMs.toString(36)}"`;
  const headers = { etag, 'cache-control': 'no-cache', ...DOCS_HEADERS };
  if (namesTag(ifNoneMatch, etag)) return new Response(null, { status: 304, headers });
  // A megabyte and a half that is never in memory whole.
  const body = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array<ArrayBuffer>>;
  return new Response(body, {
    headers: { 'content-type': type, 'content-length': String(found.size), ...headers },
  });
}
