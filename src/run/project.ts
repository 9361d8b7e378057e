import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { knownMeters, type LoadedConfig, loadConfig } from '../compile/config.ts';
import { sha256 } from '../duck/sql.ts';
import { type FileProblem, RunError } from '../errors/index.ts';
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
            throw new RunError('CONFIG_NOT_FOUND', { searched: resolve(from), isNamed: false });
    }
}

/**
 * Reads a project. @throws RunError CONFIG_NOT_FOUND, CONFIG_INVALID, RULES_INVALID with every
 * problem of the files.
 */
export function openProject(file: string): Project {
    const absolute = resolve(file);
    const folder = dirname(absolute);
    const name = relative(folder, absolute);
    const rules: Record<string, string> = {};
    const texts = new Map<string, string>();
    if (!isFile(absolute)) {
        throw new RunError('CONFIG_NOT_FOUND', { searched: absolute, isNamed: true });
    }
    const readText = (path: string): string => {
        const from = resolve(folder, path);
        const text = isFile(from) ? readFileSync(from, 'utf8') : null;
        if (text === null) {
            const problem = missingFile(path, name, texts.get(name) ?? '');
            throw new RunError('CONFIG_INVALID', { problems: [problem] });
        }
        rules[relative(folder, from)] = sha256(text);
        texts.set(relative(folder, from), text);
        return text;
    };
    const missing = missingFiles(name, readText(name), folder);
    const loaded = missing.length ? { problems: missing } : loadConfig(name, readText);
    if ('problems' in loaded) throw new RunError('CONFIG_INVALID', { problems: loaded.problems });
    requireMemory(loaded.config.engine.memory, name, texts.get(name) ?? '');
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

function isFile(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The line of a config that says so; the first one when it is said in another way. */
function lineSaying(text: string, pattern: RegExp): number {
    return text.split('\n').findIndex((line) => pattern.test(line)) + 1 || 1;
}

function missingFile(path: string, file: string, text: string): FileProblem {
    return {
        code: 'FILE_NOT_FOUND',
        file,
        line: text.split('\n').findIndex((line) => line.includes(path)) + 1 || 1,
        message: `${path} is named here and is not a file`,
        remedy: `Paths are relative to the folder of ${file}.`,
    };
}

/** All the files that the config names and that are not there, before the first is read. */
function missingFiles(file: string, text: string, folder: string): readonly FileProblem[] {
    const named = [...text.matchAll(/^(?:rate_card|accounts|assets): *(["']?)([^#\n{}]+?)\1 *$/gm)];
    return named
        .map((match) => match[2] ?? '')
        .filter((path) => !path.startsWith('object:') && !isFile(resolve(folder, path)))
        .map((path) => missingFile(path, file, text));
}

/** The engine says no more than `Failed to set config`. */
function requireMemory(memory: string, file: string, text: string): void {
    if (/^\d+(\.\d+)? ?[KMGT]i?B$/i.test(memory)) return;
    const problem: FileProblem = {
        code: 'CONFIG_INVALID',
        file,
        line: lineSaying(text, /\bmemory:/),
        path: 'engine.memory',
        message: `${memory} is not an amount of memory`,
        remedy: 'Write it like 6GB or 512MB.',
    };
    throw new RunError('CONFIG_INVALID', { problems: [problem] });
}
