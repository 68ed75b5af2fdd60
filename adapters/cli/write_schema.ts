/**
 * Writes the JSON Schema of the service file, for the package: `node write_schema.js FILE`.
 */
import { nodeFiles } from '../../core/host/files.ts';
import { serviceFileJsonSchema } from '../../core/spec/json_schema.ts';
import { builtInPlugins } from '../../plugins/mod.ts';

const [, , file] = process.argv;
if (file === undefined) throw new Error('Cannot write the schema as no file was named');
const schema = serviceFileJsonSchema(builtInPlugins);
nodeFiles().writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
