/**
 * Copies the files of Swagger UI into the package, so that it needs nothing else when it is installed:
 * `node copy_docs.js FOLDER`.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DOCS_FILES } from './docs.ts';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('Cannot copy the files as no folder was named');
const source = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
mkdirSync(folder, { recursive: true });
for (const name of [...Object.keys(DOCS_FILES), 'swagger-ui-bundle.js.LICENSE.txt', 'LICENSE', 'NOTICE']) {
  copyFileSync(join(source, name), join(folder, name));
}
