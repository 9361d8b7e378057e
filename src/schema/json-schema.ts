import { z } from 'zod';
import { configSchema } from './config.ts';
import { contractsSchema } from './contract.ts';
import { noticeSchema } from './notice.ts';
import { rateCardSchema } from './rate-card.ts';

/** Schemas of files that people write. */
export type SchemaName = 'contracts.schema.json' | 'rate-card.schema.json' | 'tieout.schema.json';

/** The first line of a YAML file that tells an editor where its schema is. */
export function schemaComment(name: SchemaName, folder = '.'): string {
    return `# yaml-language-server: $schema=${folder}/${name}\n`;
}

/** Every published JSON Schema by file name. */
export function publishedSchemas(): Readonly<Record<SchemaName | 'notice.schema.json', string>> {
    return {
        ...editorSchemas(),
        'notice.schema.json': schemaText(noticeSchema, 'what tieout posts to notify'),
    };
}

/**
 * Those that come with a project, made from the schemas that the loader itself uses. They say what
 * an editor can know: keys, types, defaults. What the texts mean is for `rules check`.
 */
export function editorSchemas(): Readonly<Record<SchemaName, string>> {
    return {
        'contracts.schema.json': schemaText(contractsSchema, 'tieout contracts'),
        'rate-card.schema.json': schemaText(rateCardSchema, 'tieout rate card'),
        'tieout.schema.json': schemaText(configSchema, 'tieout.yaml'),
    };
}

function schemaText(schema: z.ZodType, title: string): string {
    const { $schema, ...rest } = z.toJSONSchema(schema, {
        io: 'input', // as a person writes it: what has a default may be left out
        unrepresentable: 'any',
        override: ({ zodSchema, jsonSchema }) => {
            const { def } = zodSchema._zod;
            // An object that refuses unknown keys with words of its own refuses them all the same.
            if (def.type === 'object' && def.catchall) jsonSchema.additionalProperties = false;
        },
    });
    return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
