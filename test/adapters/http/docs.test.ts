import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, test } from 'vitest';
import { DOCS_FILES, docsFile, docsPage } from '../../../adapters/http/docs.ts';

/** What the build made. */
const FOLDER = fileURLToPath(new URL('../../../dist/adapters/http/docs/', import.meta.url));

describe('the page', () => {
  test('asks for its own files only', async () => {
    const page = await docsPage(undefined).text();
    const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
    expect(links).toHaveLength(4);
    for (const link of links) {
      expect(link).toMatch(/^docs\/[\w.-]+$/);
      const response = await docsFile(link.slice('docs/'.length), undefined, FOLDER);
      expect(response.status).toBe(200);
      await response.body?.cancel();
    }
    // No script of its own either: the policy would not let it run.
    expect(page).not.toMatch(/<script>|\son\w+=|style=/);
  });

  test.each([
    ['the page', () => docsPage(undefined)],
    ['a script', () => docsFile('start.js', undefined, FOLDER)],
    ['a file', () => docsFile('swagger-ui.css', undefined, FOLDER)],
  ])('%s lets a browser load nothing from elsewhere', async (_, ask) => {
    const response = await ask();
    const policy = Object.fromEntries(
      (response.headers.get('content-security-policy') ?? '').split('; ').map((part) => {
        const [name = '', ...sources] = part.split(' ');
        return [name, sources];
      }),
    );
    expect(policy['default-src']).toEqual(["'none'"]);
    expect(policy['script-src']).toEqual(["'self'"]);
    for (const sources of Object.values(policy)) {
      for (const source of sources)
        expect(["'self'", "'none'", "'unsafe-inline'", 'data:']).toContain(source);
    }
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    await response.body?.cancel();
  });

  test('sends the document to nobody', async () => {
    const start = await (await docsFile('start.js', undefined, FOLDER)).text();
    expect(start).toContain('validatorUrl: null');
    expect(start).toContain("url: 'openapi.json'");
    expect(start).not.toMatch(/https?:/);
  });
});

describe('its files', () => {
  test.each(Object.entries(DOCS_FILES))(
    '%s comes whole, over TCP as well, and not twice',
    async (name, type) => {
      const server = createServer(
        getRequestListener((request) =>
          docsFile(name, request.headers.get('if-none-match') ?? undefined, FOLDER),
        ),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const response = await fetch(url);
      expect(response.headers.get('content-type')).toBe(type);
      expect(Buffer.from(await response.arrayBuffer()).equals(readFileSync(FOLDER + name))).toBe(true);
      const again = await fetch(url, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } });
      expect([again.status, await again.text()]).toEqual([304, '']);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  );

  test.each(['nope.js', '..', '../app.js', 'LICENSE', 'constructor', '__proto__', ''])(
    '%j is none',
    async (name) => {
      await expect(docsFile(name, undefined, FOLDER)).rejects.toMatchObject({
        problem: { code: 'no_route' },
      });
    },
  );

  test('a package that was built without says so', async () => {
    await expect(docsFile('swagger-ui.css', undefined, '/nowhere/')).rejects.toThrow(/built without/);
  });
});
