import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '../duck/sql.ts';
import type { Certificate } from '../schema/certificate.ts';
import { writtenRules } from './corrections.ts';
import { makeFolders, type RunFolder, writeWhole } from './folders.ts';
import type { Project } from './project.ts';

/*
 * A run keeps what people wrote for it: the certificate says which file had which sha256, and the copy
 * lies under that. A path of a config is never part of a path here, wherever it leads.
 */

const configFile = 'config.json';

/** Keeps a copy of every file of rules, and which of them is the config. */
export function keepRules(run: RunFolder, { file, texts }: Project): void {
    makeFolders(run.rules);
    for (const text of texts.values()) {
        const copy = join(run.rules, sha256(text));
        if (!existsSync(copy)) writeWhole(copy, text);
    }
    writeWhole(join(run.rules, configFile), `${JSON.stringify({ config: basename(file) })}\n`);
}

/** The rules of a run as it kept them, and what is wrong with its copies, for people. */
export interface KeptRules {
    /** The name of the config; null where the run kept none, or not as a name. */
    readonly config: string | null;
    readonly texts: ReadonlyMap<string, string>;
    readonly problems: readonly string[];
}

export function readKeptRules(run: RunFolder, { rules }: Pick<Certificate, 'rules'>): KeptRules {
    const named = join(run.rules, configFile);
    if (!existsSync(named)) return { config: null, texts: new Map(), problems: [] };
    const config = namedIn(readFileSync(named, 'utf8'));
    const texts = new Map<string, string>();
    const problems: string[] = [];
    if (config === null) problems.push(`${named} was changed`);
    for (const [path, hash] of Object.entries(writtenRules({ rules }))) {
        const copy = /^[0-9a-f]{64}$/.test(hash) ? join(run.rules, hash) : '';
        const text = existsSync(copy) ? readFileSync(copy, 'utf8') : null;
        if (text === null) problems.push(`${path}: its copy is gone (${copy})`);
        else if (sha256(text) !== hash) problems.push(`${path}: its copy was changed (${copy})`);
        else texts.set(path, text);
    }
    return { config, texts, problems };
}

function namedIn(text: string): string | null {
    try {
        const { config } = JSON.parse(text) as { readonly config?: unknown };
        return typeof config === 'string' ? config : null;
    } catch {
        return null;
    }
}
