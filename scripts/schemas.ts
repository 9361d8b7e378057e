import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedSchemas } from '../src/schema/json-schema.ts';

/** Writes the published JSON Schemas. `npm test` fails while the committed ones are stale. */
const folder = join(import.meta.dirname, '..', 'schemas');
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(publishedSchemas())) {
    writeFileSync(join(folder, name), text);
    console.log(`schemas/${name}`);
}
