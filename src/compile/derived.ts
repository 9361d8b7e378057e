import { type NamedSelect, quoteName, quoteText } from '../duck/sql.ts';
import type { Config, Derived } from '../schema/config.ts';
import { calendarSql, checkCalendar, civilSql } from './calendar.ts';
import { compileExpression } from './expression.ts';
import { attempt, type Wrong } from './wrong.ts';

/** Derived attributes: what is computed from one event, before anything is added up. */

/**
 * The events as they are stored, with their derived attributes after their own columns: computed
 * here, where no other relation has columns of the same names.
 * @param columns those of the event itself, which an expression may name.
 */
export function derivedEventsSql(config: Config, columns: ReadonlySet<string>): string {
    const derived = Object.entries(config.derived);
    if (derived.length === 0) return 'mediated.usage_events';
    const civil = civilColumns(config);
    const made = derived.map(
        ([name, of]) => `        ${derivedSql(of, columns, civil)} as ${quoteName(name)}`,
    );
    const helpers = [...civil.values()].map(({ name }) => name);
    return `(
    select *${helpers.length ? ` exclude (${helpers.join(', ')})` : ''},
${made.join(',\n')}
    from ${civilEventsSql(civil)}
)`;
}

/** Each derived attribute by itself, for the name of one that the engine refuses. */
export function derivedParts(config: Config, columns: ReadonlySet<string>): readonly NamedSelect[] {
    const civil = civilColumns(config);
    return Object.entries(config.derived).map(([name, of]) => ({
        name: `derived ${name}`,
        sql: `select ${derivedSql(of, columns, civil)} as made from ${civilEventsSql(civil)}`,
    }));
}

type CivilColumns = ReadonlyMap<string, { readonly name: string; readonly sql: string }>;

/** Zone to the column of its civil times; no name of the config begins with an underscore. */
function civilColumns({ derived }: Config): CivilColumns {
    const zones = Object.values(derived).flatMap((of) =>
        'calendar' in of ? [of.calendar.zone] : [],
    );
    return new Map(
        [...new Set(zones)].map((zone, at) => [
            zone,
            { name: `_civil_${at}`, sql: civilSql(zone) },
        ]),
    );
}

/**
 * Civil times as columns of their own: inside of a case the engine would convert the zone once for
 * every window.
 */
function civilEventsSql(civil: CivilColumns): string {
    if (civil.size === 0) return 'mediated.usage_events';
    const columns = [...civil.values()].map(({ name, sql }) => `${sql} as ${name}`);
    return `(select *, ${columns.join(', ')} from mediated.usage_events)`;
}

function derivedSql(of: Derived, columns: ReadonlySet<string>, civil: CivilColumns): string {
    if ('calendar' in of) {
        return calendarSql(of.calendar, civil.get(of.calendar.zone)?.name ?? '');
    }
    // A price is selected by text, whatever the expression makes.
    if ('sql' in of) return `cast(${compileExpression(of.sql, columns).sql} as varchar)`;
    if ('map' in of) {
        const cases = Object.entries(of.values).map(
            ([from, to]) => `when ${quoteText(from)} then ${quoteText(to)}`,
        );
        const otherwise = of.otherwise === undefined ? quoteName(of.map) : quoteText(of.otherwise);
        return `case ${quoteName(of.map)} ${cases.join(' ')} else ${otherwise} end`;
    }
    const steps = of.steps.map(({ up_to, is }) =>
        up_to === undefined
            ? `else ${quoteText(is)}`
            : `when ${quoteName(of.band)} <= ${up_to} then ${quoteText(is)}`,
    );
    // An event without the quantity is in no band: it must not fall through to the last one.
    return `case when ${quoteName(of.band)} is null then null ${steps.join(' ')} end`;
}

/** Everything that is wrong with one derived attribute. @param columns those of the event itself. */
export function checkDerived(
    of: Derived,
    columns: ReadonlySet<string>,
    path: readonly (string | number)[],
    wrong: Wrong,
): void {
    if ('sql' in of) attempt(wrong, path, () => compileExpression(of.sql, columns));
    const from = 'band' in of ? of.band : 'map' in of ? of.map : null;
    if (from !== null && !columns.has(from)) {
        wrong(path, 'UNKNOWN_COLUMN', `${from} is not declared: ${[...columns].sort().join(', ')}`);
    }
    if ('band' in of) checkBand(of.steps, path, wrong);
    if ('calendar' in of) checkCalendar(of.calendar, [...path, 'calendar'], wrong);
}

function checkBand(
    steps: readonly { readonly up_to?: string | undefined }[],
    path: readonly (string | number)[],
    wrong: Wrong,
): void {
    const bounds = steps.map(({ up_to }) => (up_to === undefined ? null : BigInt(up_to)));
    if (bounds.at(-1) !== null) {
        wrong(
            path,
            'BAND_BOUNDED',
            'the last step has a bound',
            'Leave up_to out of the last step.',
        );
    }
    bounds.slice(0, -1).forEach((bound, index) => {
        const before = bounds[index - 1];
        if (bound === null || (before != null && bound <= before)) {
            wrong(
                [...path, 'steps', index],
                'BAND_ORDER',
                'the bounds must rise from step to step',
            );
        }
    });
}
