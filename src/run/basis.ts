import { mediate } from '../../pipelines/20-mediate/stage.ts';
import { meter } from '../../pipelines/30-meter/stage.ts';
import { reconcile } from '../../pipelines/70-reconcile/stage.ts';
import type { Promises } from '../compile/promises.ts';
import { eventShape } from '../compile/shape.ts';
import { isAdditiveMeter } from '../compile/whole-meters.ts';
import { sha256 } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import { boundariesOf, sorted, sqlTimestamp } from '../rules/card.ts';
import type { runBasis, runBoundaries } from '../stage/control.ts';
import type { Stage } from '../stage/define.ts';
import { readStageSql, stageFingerprint } from '../stage/run.ts';
import { macrosText } from './code.ts';
import { type Project, ratesOf } from './project.ts';

/**
 * What the partials of a run and its reconciliation rest on, part by part. Rates are left out, so
 * that two projects that differ in prices only have the same basis; accounts are compared by
 * themselves, row by row.
 */
export function basisOf({
    config,
    assets,
}: Pick<Project, 'config' | 'assets'>): readonly RowOf<typeof runBasis>[] {
    const { usage, debits, tolerances, reconcile: ladder, open_hold_hours } = config;
    // Every select may use the macros.
    const hashOf = (stage: Stage) =>
        stageFingerprint(stage, readStageSql(stage), sha256(macrosText()));
    const parts = {
        inputs: [usage, debits],
        meters: [hashOf(mediate(eventShape(config))), hashOf(meter(config, []))],
        reconciliation: [
            ...[Object.entries(assets).sort(), Object.entries(tolerances).sort(), open_hold_hours],
            ladder,
            hashOf(reconcile(config, assets)),
        ],
    };
    return Object.entries(parts).map(([part, of]) => ({
        part,
        sha256: sha256(JSON.stringify(of)),
    }));
}

/** The instants at which partials are cut, as text of SQL timestamps, sorted. */
export interface Boundaries {
    /** Where any rate changes, or a promise begins or ends. */
    readonly all: readonly string[];
    /** Where a rate of one meter changes. */
    readonly of: (meter: string) => readonly string[];
}

export function boundariesIn(project: Project, promises: Promises): Boundaries {
    const rates = ratesOf(project);
    const ofPromises = promises.boundaries.map(sqlTimestamp);
    return {
        all: sorted(new Set([...boundariesOf(rates), ...ofPromises])),
        of: (meter) => boundariesOf(rates.filter((rate) => rate.meter === meter)),
    };
}

/** The same as rows: of all meters together, and of those that cannot be added up by themselves. */
export function boundaryRows(
    project: Project,
    promises: Promises,
): readonly RowOf<typeof runBoundaries>[] {
    const { all, of } = boundariesIn(project, promises);
    const whole = project.config.meters.filter((meter) => !isAdditiveMeter(meter));
    const rows = (meter: string, instants: readonly string[]) =>
        instants.map((boundary_at) => ({ meter, boundary_at }));
    return [...rows('', all), ...whole.flatMap(({ meter }) => rows(meter, of(meter)))];
}
