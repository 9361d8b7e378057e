import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import { counted } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { parseExactJson } from '../rules/exact-json.ts';
import { genaiProviders, importGenaiPrices } from '../rules/import-genai-prices.ts';
import { importLitellm, litellmProviders } from '../rules/import-litellm.ts';
import { lintCard } from '../rules/lint.ts';
import { loadCard } from '../rules/load.ts';
import type { ImportedCard, ImportOptions } from '../rules/price-list.ts';
import { loadSpecs } from '../rules/specs.ts';
import { makeFolders } from '../run/folders.ts';
import { publishedSchemas } from '../schema/json-schema.ts';
import { didYouMean } from '../schema/suggest.ts';
import type { Answer, CommandContext } from './command.ts';

export interface ImportFlags {
    readonly format: string;
    readonly file: string;
    readonly out: string;
    readonly provider?: string;
}

interface Importer {
    readonly providers: (json: unknown) => readonly string[];
    readonly read: (json: unknown, options: ImportOptions) => ImportedCard;
}

const importers: Readonly<Record<string, Importer>> = {
    'genai-prices': { providers: genaiProviders, read: importGenaiPrices },
    litellm: { providers: litellmProviders, read: importLitellm },
};

/** The formats that can be imported. */
export const importFormats = Object.keys(importers);

/**
 * `tieout rules import`: a public price list as a rate card, its matrix and what the config needs.
 * Nothing is written over. @throws RunError USAGE, RULES_INVALID
 */
export function rulesImport(flags: ImportFlags, { cwd }: CommandContext): Answer {
    const made = importFile(flags, cwd);
    const folder = resolve(cwd, flags.out);
    const files: Readonly<Record<string, string>> = {
        [`${made.card}.yaml`]: made.cardYaml,
        [`${made.card}.csv`]: made.matrixCsv,
        [`${made.card}.specs.yaml`]: made.specsYaml,
        'derived.yaml': made.derivedYaml,
        'notes.txt': made.notes.map((note) => `${note}\n`).join(''),
    };
    const rates = checked(made, files);
    writeNew(folder, files);
    const at = relative(cwd, folder) || '.';
    const left = made.notes.map((note) => `  ${visible(note)}\n`).join('');
    return {
        exit: 0,
        text: `${at}: ${Object.keys(files).join(' ')}\n${counted(rates, 'rate')} by ${made.attributes.join(', ')}\n${made.notes.length ? `not imported (also in notes.txt):\n${left}` : ''}Next: put derived.yaml into tieout.yaml, name the card there, and run \`tieout rules check\` and \`tieout rules test\`.\n`,
        json: {
            folder,
            files: Object.keys(files),
            card: made.card,
            rate_count: rates,
            attributes: made.attributes,
            notes: made.notes,
        },
    };
}

function importFile({ format, file, provider }: ImportFlags, cwd: string): ImportedCard {
    const importer = Object.hasOwn(importers, format) ? importers[format] : undefined;
    if (!importer) {
        const remedy = didYouMean(format, importFormats);
        throw new RunError('USAGE', { detail: `${format} is not a format of price lists`, remedy });
    }
    const text = readList(resolve(cwd, file));
    const options = { version: sha256(text).slice(0, 12), provider };
    try {
        const json = parseExactJson(text);
        const providers = importer.providers(json);
        if (provider === undefined || providers.includes(provider)) {
            return importer.read(json, options);
        }
        const remedy = didYouMean(provider, providers);
        throw new RunError('USAGE', { detail: `${file} has no provider ${provider}`, remedy });
    } catch (error) {
        if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
        const detail = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
        throw new RunError('USAGE', {
            detail: `${file} is not a price list of the format ${format}: ${detail}`,
            remedy: 'Look at --format and at the file; nothing was written.',
        });
    }
}

function readList(path: string): string {
    try {
        return readFileSync(path, 'utf8');
    } catch (error) {
        throw new RunError('USAGE', {
            detail: `--file ${path} cannot be read: ${(error as Error).message}`,
        });
    }
}

/** How many rates the card has, as a run would read it. */
function checked(made: ImportedCard, files: Readonly<Record<string, string>>): number {
    const read = loadCard(`${made.card}.yaml`, (path) => files[path] ?? '');
    const known = { meters: { tokens: made.attributes } };
    const problems = 'problems' in read ? read.problems : lintCard(read.card, { known });
    if (problems.length || 'problems' in read) throw new RunError('RULES_INVALID', { problems });
    const specs = loadSpecs(`${made.card}.specs.yaml`, made.specsYaml, read.card, known);
    if ('problems' in specs) throw new RunError('RULES_INVALID', { problems: specs.problems });
    return read.card.rates.length;
}

/** Writes files that are not there yet, and the schema that the card names. */
function writeNew(folder: string, files: Readonly<Record<string, string>>): void {
    const there = Object.keys(files).find((name) => existsSync(join(folder, name)));
    if (there !== undefined) {
        throw new RunError('USAGE', {
            detail: `${join(folder, there)} exists: nothing was written`,
            remedy: 'Name another folder: a published card is never written over.',
        });
    }
    try {
        makeFolders(folder);
        for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
        const schema = 'rate-card.schema.json';
        writeFileSync(join(folder, schema), publishedSchemas()[schema]);
    } catch (error) {
        throw new RunError('USAGE', {
            detail: `${folder} cannot be written: ${(error as Error).message}`,
        });
    }
}
