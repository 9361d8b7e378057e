import { counting } from './config.ts';
import { defineError } from './define.ts';

interface InStage {
    readonly stage: string;
    readonly check: string;
}

/** The engine adds advice about settings that tieout makes itself: what happened is its first line. */
const firstLine = (text: string) => text.split('\n')[0] ?? '';

/** The line of a statement that the engine points at, and its mark under the place. */
function excerpt(text: string): readonly string[] {
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.startsWith('LINE '));
    return at < 0 ? [] : [indented(lines.slice(at, at + 2))];
}

const indented = (rows: readonly string[]) => rows.map((row) => `    ${row}`).join('\n');

/** Errors of the engine, the stage runner and the run as a whole. */
export const engineErrors = {
    ENGINE_MEMORY: defineError<{ stage: string; limit: string; detail: string }>(
        75,
        (p) => `${p.stage}: out of memory at ${p.limit}: ${firstLine(p.detail)}`,
        () =>
            'Raise `engine.memory` in tieout.yaml or free disk for spilling, then run again: it goes on at this stage.',
    ),
    AMOUNT_OVERFLOW: defineError<{ stage: string; detail: string }>(
        1,
        (p) =>
            `${p.stage}: an amount has more than 14 digits before the point: ${firstLine(p.detail)}`,
        () => 'Nothing was kept of this stage. Look for a wrong unit in a price or a quantity.',
    ),
    EXPRESSION_INVALID: defineError<{
        stage: string;
        expressions: readonly { readonly name: string; readonly detail: string }[];
    }>(
        2,
        (p) =>
            [
                `${p.stage}: ${counting(p.expressions.length, 'expression')} of tieout.yaml cannot be used`,
                ...p.expressions.flatMap(({ name, detail }) => [
                    `${name}: ${firstLine(detail)}`,
                    ...excerpt(detail),
                ]),
            ].join('\n'),
        () =>
            'Correct it in `meters`, `derived` or `counts` and run again; nothing of the stage was kept.',
    ),
    LAKE_DAMAGED: defineError<{
        file: string;
        folder: string;
        expected: string;
        actual: string;
    }>(
        1,
        (p) => `${p.file} is not what was written there: sha256 ${p.expected} was, ${p.actual} is`,
        (p) =>
            `Nothing was counted from it. Delete ${p.folder} and run again: its objects are read from the store anew.`,
    ),
    LAKE_ROWS_GONE: defineError<{ run: string; keys: string }>(
        2,
        (p) =>
            `rows that ${p.run} read are kept no more, or cannot be read as they were: ${p.keys}`,
        () =>
            'What was billed stands in its tables and outputs. To look at rows again, use the tieout.yaml of the run, or reopen the period and run it while the store still has its objects.',
    ),
    ENGINE_LOCKED: defineError<{ file: string; detail: string }>(
        75,
        (p) =>
            `${p.file} is held by ${/held in (.+? \(PID \d+\))/.exec(p.detail)?.[1] ?? `another process: ${firstLine(p.detail)}`}`,
        () => 'Another tieout works on this run: wait until it ends, or end it, then run again.',
    ),
    ENGINE_FAILED: defineError<{ stage: string; statement: string; detail: string }>(
        70,
        (p) =>
            `${p.stage}: ${firstLine(p.detail)}\n${indented([...p.detail.split('\n').slice(1), ...p.statement.split('\n')])}`,
        () => 'This is a defect of tieout. Keep the run folder and report it.',
    ),
    CONTRACT_MISMATCH: defineError<InStage & { expected: string; actual: string }>(
        70,
        (p) =>
            `${p.stage}/${p.check}: the select gives ${p.actual}, the contract says ${p.expected}`,
        (p) =>
            `Change ${p.check}.sql or the contract in pipelines/${p.stage}/tables.ts, whichever is wrong.`,
    ),
    GRAIN_BROKEN: defineError<InStage & { grain: string; rows: readonly string[] }>(
        70,
        (p) =>
            `${p.stage}/${p.check}: more than one row for the same (${p.grain}):\n${indented(p.rows)}`,
        (p) =>
            `Nothing was kept of this stage. Look for a join that fans out in pipelines/${p.stage}/${p.check}.sql.`,
    ),
    AUDIT_FAILED: defineError<InStage & { count: number; rows: readonly string[] }>(
        1,
        (p) =>
            `${p.stage}/${p.check}: ${counting(p.count, 'row breaks', 'rows break')} the audit${
                p.rows.length < p.count ? `, the first ${p.rows.length} are` : ''
            }:\n${indented(p.rows)}`,
        (p) =>
            p.check === 'suspense-is-within-its-limit'
                ? 'Have the producer send these rows again in order, or accept the loss: raise `limits.suspense_percent` in tieout.yaml. No line was written.'
                : `No line was written. Explain these rows first; what they break is in pipelines/${p.stage}/audits/${p.check}.sql.`,
    ),
    NOT_CONSERVED: defineError<InStage & { equation: string; left: string; right: string }>(
        1,
        (p) => `${p.stage}/${p.check}: ${p.equation}: ${p.left} is not ${p.right}`,
        () =>
            'Something was lost or doubled in this stage, and nothing was kept of it. Keep the run folder and report it.',
    ),
    RUN_DAMAGED: defineError<{ folder: string; file: string; detail: string }>(
        75,
        (p) => `${p.file} cannot be opened: ${firstLine(p.detail)}`,
        (p) =>
            `Remove ${p.folder} and run again with the same --period and --as-of: everything in it is made anew from the objects.`,
    ),
    OUTPUT_CHANGED: defineError<{
        folder: string;
        files: readonly string[];
        command: string;
    }>(
        2,
        (p) => `${p.folder} is not as its run left it: ${p.files.join(', ')}`,
        (p) => `Deliver nothing from it. \`${p.command}\` makes it anew from the same inputs.`,
    ),
    RUN_OUTDATED: defineError<{
        run: string;
        version: string;
        detail: string;
        command: string;
    }>(
        2,
        (p) =>
            `${p.run} was written by another version of tieout (${p.version}): ${firstLine(p.detail)}`,
        (p) => `Run it again: \`${p.command}\` makes it anew from the same inputs.`,
    ),
    RUN_NOT_FOUND: defineError<{ detail: string }>(
        2,
        (p) => p.detail,
        () => 'Run `tieout run --period yyyy-MM` first.',
    ),
    LINE_NOT_FOUND: defineError<{ line_key: string; run: string }>(
        2,
        (p) => `no line and no break of ${p.run} has a key that begins with ${p.line_key}`,
        () =>
            'Take the key from line_items.csv, sale_lines.csv or breaks.csv; a prefix of it is enough if it is unique.',
    ),
};
