import { relative } from 'node:path';
import { jsonHash } from '../export/json.ts';
import type { Provenance } from '../schema/backfill.ts';
import type { Certificate } from '../schema/certificate.ts';
import { writtenRules } from './corrections.ts';
import type { Project } from './project.ts';

/** What two runs of a period were made of and is not the same. */
export type Evidence = Provenance['evidence'];

/** Reads it off their certificates. Without a first run nothing can be said to have changed. */
export function evidenceOf(billed: Certificate | null, candidate: Certificate): Evidence {
    if (billed === null) {
        return {
            objects: { added: candidate.inputs.length, gone: 0, changed: 0 },
            rules: [],
            is_other_code: false,
        };
    }
    return {
        objects: objectsOf(billed, candidate),
        rules: changedRules(writtenRules(billed), writtenRules(candidate)),
        is_other_code: isOtherCode(billed, candidate),
    };
}

function objectsOf(billed: Certificate, candidate: Certificate): Evidence['objects'] {
    const hashes = ({ inputs }: Certificate) =>
        new Map(inputs.map(({ input, key, sha256 }) => [JSON.stringify([input, key]), sha256]));
    const [old, now] = [hashes(billed), hashes(candidate)];
    const added = [...now.keys()].filter((key) => !old.has(key)).length;
    const gone = [...old.keys()].filter((key) => !now.has(key)).length;
    const changed = [...now].filter(([key, of]) => old.has(key) && old.get(key) !== of).length;
    return { added, gone, changed };
}

function changedRules(old: Certificate['rules'], now: Certificate['rules']): string[] {
    const names = new Set([...Object.keys(old), ...Object.keys(now)]);
    return [...names].filter((name) => old[name] !== now[name]).sort();
}

/**
 * Every change of a version of the code shows in it, or in the SQL of a stage. A month that was priced
 * anew has its metered usage and its reconciliation from the run that was billed, by that one's code.
 */
function isOtherCode(billed: Certificate, candidate: Certificate): boolean {
    const kept = candidate.repriced_from
        ? ['20-mediate', '30-meter', '31-cut', '70-reconcile']
        : [];
    const codeOf = ({ tieout_version, stages }: Certificate) => {
        const own = stages.filter(({ stage }) => !kept.includes(stage));
        return jsonHash([tieout_version, own.map(({ stage, sql_sha256 }) => [stage, sql_sha256])]);
    };
    return codeOf(billed) !== codeOf(candidate);
}

/** What of a project changed, by what it can be the cause of. */
export interface Changed {
    /** Events may have come, gone, or been corrected. */
    readonly objects: boolean;
    /** Cards, contracts, currency rates and assets. */
    readonly prices: boolean;
    readonly accounts: boolean;
    /** Config, openings and code: what is metered, how, and from where it counts. */
    readonly other: boolean;
}

/** Sorts what changed by what it may have caused. */
export function changedIn(
    { objects, rules, is_other_code }: Evidence,
    { config, folder, file }: Pick<Project, 'config' | 'folder' | 'file'>,
): Changed {
    const isConfig = (name: string) => name === relative(folder, file);
    const isAccounts = (name: string) => name === plainPath(config.accounts);
    const isOpenings = (name: string) =>
        name === plainPath(config.openings ?? '') || /^closings\.csv of /.test(name);
    const isOther = (name: string) => isConfig(name) || isOpenings(name);
    return {
        objects: objects.added + objects.gone + objects.changed > 0,
        prices: rules.some((name) => !isOther(name) && !isAccounts(name)),
        accounts: rules.some(isAccounts),
        other: is_other_code || rules.some(isOther),
    };
}

/** A path as the rules of a run name it. */
const plainPath = (path: string) => path.replace(/^\.\//, '');
