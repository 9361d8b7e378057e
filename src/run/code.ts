import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { sha256 } from '../duck/sql.ts';

/** The folder of package.json: SQL, macros and rating rules stay there when dist/ runs. */
export const codeRoot = import.meta.dirname
    .replace(`${sep}dist${sep}src${sep}run`, '')
    .replace(`${sep}src${sep}run`, '');

/** Version of the package. */
export const version: string = JSON.parse(
    readFileSync(join(codeRoot, 'package.json'), 'utf8'),
).version;

/** The macros that every select may use. */
export const macrosText = (): string =>
    readFileSync(join(codeRoot, 'pipelines', 'macros.sql'), 'utf8');

/** sha256 over every file that decides a number: sources, contracts and SQL, in path order. */
export function codeFingerprint(): string {
    const files = [
        join(import.meta.dirname, '..'), // src, or dist/src
        join(codeRoot, 'pipelines'),
    ].flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
            .filter((name) => /\.(ts|js|sql)$/.test(name))
            .sort()
            .map((name) => `${name} ${sha256(readFileSync(join(folder, name)))}`),
    );
    return sha256(files.join('\n'));
}
