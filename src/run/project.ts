import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { knownMeters, type LoadedConfig, loadConfig } from '../compile/config.ts';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { CompiledCard } from '../rules/card.ts';
import { lintCard } from '../rules/lint.ts';
import { loadCard } from '../rules/load.ts';

/** A config with everything beside it, read and checked. */
export interface Project extends LoadedConfig {
    /** Folder of tieout.yaml, absolute. */
    readonly folder: string;
    readonly file: string;
    readonly state: string;
    readonly card: CompiledCard;
    /** File to sha256 of everything that a person wrote and a run depends on. */
    readonly rules: Readonly<Record<string, string>>;
    readonly readText: (path: string) => string;
}

/** The nearest tieout.yaml from `from` upwards. @throws RunError CONFIG_NOT_FOUND */
export function findConfig(from: string): string {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
        const file = join(folder, 'tieout.yaml');
        if (existsSync(file)) return file;
        if (dirname(folder) === folder)
            throw new RunError('CONFIG_NOT_FOUND', { searched: resolve(from) });
    }
}

/**
 * Reads a project. @throws RunError CONFIG_NOT_FOUND, CONFIG_INVALID, RULES_INVALID with every
 * problem of the files.
 */
export function openProject(file: string): Project {
    const absolute = resolve(file);
    const folder = dirname(absolute);
    const rules: Record<string, string> = {};
    if (!existsSync(absolute)) throw new RunError('CONFIG_NOT_FOUND', { searched: absolute });
    const readText = (path: string): string => {
        const from = resolve(folder, path);
        if (!existsSync(from)) {
            throw new RunError('CONFIG_INVALID', {
                problems: [
                    {
                        code: 'FILE_NOT_FOUND',
                        file: relative(process.cwd(), absolute),
                        line: 1,
                        message: `${path} is named here and does not exist`,
                        remedy: 'Paths are relative to tieout.yaml.',
                    },
                ],
            });
        }
        const text = readFileSync(from, 'utf8');
        rules[relative(folder, from)] = sha256(text);
        return text;
    };
    const loaded = loadConfig(relative(folder, absolute), readText);
    if ('problems' in loaded) throw new RunError('CONFIG_INVALID', { problems: loaded.problems });
    const read = loadCard(loaded.config.rate_card, readText);
    if ('problems' in read) throw new RunError('RULES_INVALID', { problems: read.problems });
    const problems = lintCard(read.card, { known: { meters: knownMeters(loaded.config) } });
    if (problems.length) throw new RunError('RULES_INVALID', { problems });
    return {
        ...loaded,
        folder,
        file: absolute,
        state: resolve(folder, loaded.config.state),
        card: read.card,
        rules,
        readText,
    };
}
