import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeRoot } from '../code.ts';

const pipelines = join(codeRoot, 'pipelines');

/** The text of a select of ClickHouse, which lies beside the SQL of its stage. */
export const clickStatement = (stage: string, name: string): string =>
    readFileSync(join(pipelines, stage, 'clickhouse', `${name}.sql`), 'utf8');
