import { defineError } from './define.ts';

interface InStage {
    readonly stage: string;
    readonly check: string;
}

/** Errors of the engine, the stage runner and the run as a whole. */
export const engineErrors = {
    ENGINE_MEMORY: defineError<{ stage: string; limit: string; detail: string }>(
        75,
        (p) => `${p.stage}: out of memory at ${p.limit}: ${p.detail}`,
        () => 'Raise `engine.memory` in tieout.yaml or free disk for spilling, then run again.',
    ),
    ENGINE_LOCKED: defineError<{ file: string; detail: string }>(
        75,
        (p) => `${p.file} is held by another process: ${p.detail}`,
        () => 'Another run of the same inputs is working: wait for it, then run again.',
    ),
    ENGINE_FAILED: defineError<{ stage: string; statement: string; detail: string }>(
        70,
        (p) => `${p.stage}: ${p.detail}\n${p.statement}`,
        () => 'This is a defect of tieout. Keep the run folder and report it.',
    ),
    CONTRACT_MISMATCH: defineError<InStage & { expected: string; actual: string }>(
        70,
        (p) =>
            `${p.stage}/${p.check}: the select gives ${p.actual}, the contract says ${p.expected}`,
        () => 'Change the select or the contract in tables.ts, whichever is wrong.',
    ),
    GRAIN_BROKEN: defineError<InStage & { grain: string; rows: readonly string[] }>(
        70,
        (p) =>
            `${p.stage}/${p.check}: more than one row for the same (${p.grain}):\n${p.rows.join('\n')}`,
        () => 'Nothing was kept of this stage. Look for a join that fans out.',
    ),
    AUDIT_FAILED: defineError<InStage & { count: number; rows: readonly string[] }>(
        1,
        (p) => `${p.stage}/${p.check}: ${p.count} row(s) break the audit:\n${p.rows.join('\n')}`,
        () => 'Nothing was kept of this stage and no line was written. Explain these rows first.',
    ),
    NOT_CONSERVED: defineError<InStage & { equation: string; left: string; right: string }>(
        1,
        (p) => `${p.stage}/${p.check}: ${p.equation}: ${p.left} is not ${p.right}`,
        () => 'Something was lost or doubled in this stage. Nothing was kept of it.',
    ),
    RUN_NOT_FOUND: defineError<{ detail: string }>(
        2,
        (p) => p.detail,
        () => 'Run `tieout run --period ...` first.',
    ),
    LINE_NOT_FOUND: defineError<{ line_key: string; run: string }>(
        2,
        (p) => `no line ${p.line_key} in run ${p.run}`,
        () => 'Take the key from line_items.csv; a prefix of it is enough if it is unique.',
    ),
};
