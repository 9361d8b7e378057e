import type { NamedSelect } from '../duck/sql.ts';
import type { Table } from '../duck/table.ts';

/** A sum over one measure of a relation, optionally of the rows that satisfy a condition. */
export interface Term {
    readonly relation: string;
    readonly measure: string;
    readonly where?: string;
}

/** Σ left = Σ right, exactly, for every value of `by`. */
export interface Equation {
    readonly name: string;
    readonly by: readonly string[];
    readonly left: Term;
    readonly right: readonly Term[];
}

/** A view whose SQL the config makes. */
export interface CompiledView {
    readonly table: Table;
    readonly sql: string;
    /** The output of the stage that it is made from; none where it needs none of them. */
    readonly after?: Table;
    /** Selects of its parts: where the view does not bind, they say whose expression it is. */
    readonly parts?: readonly NamedSelect[];
}

/**
 * A stage: a folder with one select per output (`<schema.name>.sql`), audits that must return no
 * rows (`audits/*.sql`), and equations that must hold. It knows nothing of stores, clocks or files.
 */
export interface Stage {
    /** Folder name, e.g. `40-rate`. */
    readonly name: string;
    /** Folder of its SQL, absolute. */
    readonly folder: string;
    readonly reads: readonly Table[];
    /**
     * Views generated from the config, made before the outputs or after the one that they are made
     * from; their text is fingerprinted too.
     */
    readonly compiled?: readonly CompiledView[];
    /** In the order they are filled. */
    readonly writes: readonly Table[];
    readonly conserves: readonly Equation[];
}

/** Declares a stage. `folder` is `import.meta.dirname` of its stage.ts. */
export function defineStage(stage: Stage): Stage {
    // The published package runs from dist/ while its SQL stays where people read it.
    const folder = stage.folder
        .replace(/([\\/])dist([\\/]pipelines[\\/])/, '$1$2')
        .replace('//', '/');
    return { ...stage, folder };
}

/** Σ measure over a relation; `count` counts rows. */
export function sum(measure: string, relation: Table, where?: string): Term {
    return { relation: relation.name, measure, ...(where ? { where } : {}) };
}

/** Row count of a relation. */
export function count(relation: Table, where?: string): Term {
    return { relation: relation.name, measure: '1', ...(where ? { where } : {}) };
}

/** The equation as SQL whose rows are its violations: the keys, both sides. */
export function violationsSql(equation: Equation): string {
    const by = equation.by.map((name) => `${name}, `).join('');
    const term = (of: Term, side: 'left' | 'right') =>
        `select ${by}'${side}' as side, ${of.measure} as value from ${of.relation}${of.where ? ` where ${of.where}` : ''}`;
    const terms = [term(equation.left, 'left'), ...equation.right.map((of) => term(of, 'right'))];
    const left = "coalesce(sum(value) filter (where side = 'left'), 0)";
    const right = "coalesce(sum(value) filter (where side = 'right'), 0)";
    const names = equation.by.join(', ');
    return [
        `select ${by}${left} as left_side, ${right} as right_side`,
        `from (${terms.join(' union all ')})`,
        names ? `group by ${names}` : '',
        `having ${left} is distinct from ${right}`,
        names ? `order by ${names}` : '',
    ].join('\n');
}
