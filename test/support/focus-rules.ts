import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import codes from 'currency-codes';
import type { Engine } from '../../src/duck/engine.ts';
import { quoteName, quoteText } from '../../src/duck/sql.ts';
import { dynamicChecks, formatChecks, isProduct, modelErrors } from './focus-checks.ts';

/**
 * A rule model of FOCUS as SQL over a file of text columns. Each rule of the model gets exactly one
 * verdict, and each but `passed` its reason: nothing is dropped silently.
 */
export type Verdict =
    | 'passed'
    | 'failed'
    /** A dependency of it failed. */
    | 'blocked'
    /** It or a rule above it is for what the file does not support. */
    | 'not applicable'
    /** It allows something, so that nothing can break it. */
    | 'permission'
    /** One of several, of which the rule above needs any. */
    | 'alternative'
    /** No machine can tell from the file. */
    | 'not checkable';

export interface Judged {
    readonly rule: string;
    readonly keyword: string;
    readonly verdict: Verdict;
    readonly reason: string;
}

/** The rules that a file breaks. */
export const broken = (judged: readonly Judged[]) =>
    judged.filter(({ verdict }) => verdict === 'failed').map(({ rule }) => rule);

export interface Check {
    readonly CheckFunction: string;
    readonly Items?: readonly Check[];
    readonly ModelRuleId?: string;
    readonly ColumnName?: string;
    readonly ColumnAName?: string;
    readonly ColumnBName?: string;
    readonly ResultColumnName?: string;
    readonly ExpectedCount?: number;
    readonly Value?: string | number | null;
    /** Two conditions of the model name their column so. */
    readonly CheckCondition?: string;
}
type Condition = Check | { readonly AND: Check | readonly Check[] } | Record<string, never>;

interface Rule {
    readonly Function: string;
    readonly Reference: string;
    readonly ApplicabilityCriteria: readonly string[];
    readonly ValidationCriteria: {
        readonly MustSatisfy: string;
        readonly Keyword: string;
        readonly Requirement: Check | Record<string, never>;
        readonly Condition: Condition;
        readonly Dependencies: readonly string[];
    };
}
export interface RuleModel {
    readonly ModelRules: Readonly<Record<string, Rule>>;
}

/** Real data beside the project, or in the folder of TIEOUT_REAL_DATA; it is not part of it. */
export const realData = resolve(process.env.TIEOUT_REAL_DATA ?? '../shared/real');

/** The public rule model of version 1.2; null, and a word about it, where it is not at hand. */
export function publicModel(): RuleModel | null {
    const file = join(realData, 'focus/model-1.2.json');
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
    process.stderr.write(`no rule model at ${file}: nothing is judged by it\n`);
    return null;
}

/** Where a rule is in the model: under which conditions, and for what. */
interface Place {
    readonly conditions: readonly Condition[];
    readonly criteria: readonly string[];
    readonly isAlternative: boolean;
}

const isCheck = (of: unknown): of is Check =>
    typeof of === 'object' && of !== null && 'CheckFunction' in of;

/** Rules that a requirement names. */
const named = (check: Check): readonly string[] =>
    check.ModelRuleId ? [check.ModelRuleId] : (check.Items ?? []).flatMap(named);

/** Judges a table of text columns by every rule of a model. */
export async function judge(
    engine: Engine,
    table: string,
    model: RuleModel,
    supported: ReadonlySet<string>,
): Promise<readonly Judged[]> {
    const rows = await engine.describe(`select * from ${table}`);
    const columns: ReadonlySet<string> = new Set(rows.map(({ name }) => name));
    const sql = new Sql(columns, table, model);
    const judged = new Map<string, Judged>();
    const open: { readonly rule: string; readonly sql: string }[] = [];
    for (const [rule, place] of placesOf(model)) {
        const { Keyword: keyword } = criteriaOf(model, rule);
        const [verdict, reason] = beforehand(model, rule, place, columns, supported, sql);
        if (verdict === null) open.push({ rule, sql: sql.violations(rule, place.conditions) });
        judged.set(rule, { rule, keyword, verdict: verdict ?? 'passed', reason });
    }
    for (let at = 0; at < open.length; at += 40) {
        const some = open.slice(at, at + 40);
        const counts = await engine.one(
            `select ${some.map((of, index) => `(${of.sql}) as c${index}`).join(', ')} from ${table}`,
        );
        for (const [index, { rule }] of some.entries()) {
            const count = BigInt(String(counts[`c${index}`]));
            const own = judged.get(rule);
            if (count > 0n && own) {
                const reason = `${count} rows: ${criteriaOf(model, rule).MustSatisfy}`;
                judged.set(rule, { ...own, verdict: 'failed', reason });
            }
        }
    }
    return composed(model, judged);
}

const criteriaOf = (model: RuleModel, rule: string) => {
    const found = model.ModelRules[rule];
    if (!found) throw new Error(`the model has no rule ${rule}`);
    return found.ValidationCriteria;
};

/** Every rule with what is above it: composites first. */
function placesOf(model: RuleModel): ReadonlyMap<string, Place> {
    const rules = Object.keys(model.ModelRules);
    const requirement = (rule: string) => criteriaOf(model, rule).Requirement;
    const below = (rule: string) => {
        const check = requirement(rule);
        return isCheck(check) ? named(check) : [];
    };
    const inner = new Set(rules.flatMap(below));
    const places = new Map<string, Place>();
    const visit = (rule: string, above: Place) => {
        // A rule under two composites is judged under the first, whose own conditions hold.
        if (places.has(rule)) return;
        const own = criteriaOf(model, rule).Condition;
        const place = {
            ...above,
            conditions: [...above.conditions, modelErrors[rule]?.condition ?? own],
            criteria: [...above.criteria, ...(model.ModelRules[rule]?.ApplicabilityCriteria ?? [])],
        };
        places.set(rule, place);
        const isAlternative = (requirement(rule) as Check).CheckFunction === 'OR';
        for (const other of below(rule)) visit(other, { ...place, isAlternative });
    };
    const top = { conditions: [], criteria: [], isAlternative: false };
    for (const rule of rules.filter((of) => !inner.has(of))) visit(rule, top);
    return places;
}

/** The verdict that needs no row; null for a rule that rows decide. */
function beforehand(
    model: RuleModel,
    rule: string,
    { criteria, isAlternative }: Place,
    columns: ReadonlySet<string>,
    supported: ReadonlySet<string>,
    sql: Sql,
): readonly [Verdict | null, string] {
    const { Requirement, Keyword } = criteriaOf(model, rule);
    const missing = criteria.find((of) => !supported.has(of));
    if (missing) return ['not applicable', `${missing}: no`];
    if (isAlternative) return ['alternative', 'the rule above needs any of several'];
    if (Keyword === 'MAY') return ['permission', 'MAY: nothing can break it'];
    if (!isCheck(Requirement)) {
        const check = dynamicChecks[rule];
        if (check) return [null, 'checked beyond the model'];
        return ['not checkable', 'the model has no check for it, and the file cannot show it'];
    }
    const isComposite = named(Requirement).length > 0 && Requirement.CheckFunction === 'AND';
    const absent = sql
        .columnsOf(Requirement)
        .find((of) => !columns.has(of) && Requirement.CheckFunction !== 'ColumnPresent');
    if (absent) return ['not applicable', `the file has no ${absent}`];
    return [isComposite ? 'passed' : null, ''];
}

/** A composite fails with any rule below it; what rests on a rule that failed is blocked. */
function composed(model: RuleModel, judged: Map<string, Judged>): readonly Judged[] {
    const isBroken = (rule: string, seen: ReadonlySet<string> = new Set()): boolean => {
        const own = judged.get(rule);
        if (own?.verdict === 'failed') return true;
        const check = criteriaOf(model, rule).Requirement;
        if (own?.verdict !== 'passed' || !isCheck(check) || seen.has(rule)) return false;
        const isAll = check.CheckFunction === 'AND';
        return isAll && named(check).some((of) => isBroken(of, new Set([...seen, rule])));
    };
    return [...judged.values()].map((own) => {
        if (own.verdict !== 'passed') return own;
        const { Dependencies, Requirement } = criteriaOf(model, own.rule);
        const below = isCheck(Requirement) ? named(Requirement) : [];
        const broken = below.find((of) => isBroken(of));
        if (broken) return { ...own, verdict: 'failed', reason: `${broken} failed` };
        const blocking = Dependencies.find((of) => !below.includes(of) && isBroken(of));
        return blocking ? { ...own, verdict: 'blocked', reason: `${blocking} failed` } : own;
    });
}

/** Checks as predicates over a row, and rules as counts of rows that break them. */
class Sql {
    readonly #columns: ReadonlySet<string>;
    readonly #table: string;
    readonly #model: RuleModel;

    constructor(columns: ReadonlySet<string>, table: string, model: RuleModel) {
        this.#columns = columns;
        this.#table = table;
        this.#model = model;
    }

    /** Counts the rows (or values, or columns) that break a rule: an aggregate over the table. */
    violations(rule: string, conditions: readonly Condition[]): string {
        const { Requirement } = criteriaOf(this.#model, rule);
        const where = conditions.map((of) => `(${this.#condition(of)})`).join(' and ') || 'true';
        const own = dynamicChecks[rule];
        if (!isCheck(Requirement)) {
            if (!own) throw new Error(`nothing checks ${rule}`);
            return own(where, [...this.#columns]);
        }
        const { CheckFunction, ColumnName = '', ColumnAName, ColumnBName } = Requirement;
        if (CheckFunction === 'ColumnPresent') return this.#columns.has(ColumnName) ? '0' : '1';
        if (CheckFunction === 'CheckDistinctCount') {
            const [a, b] = [quoteName(ColumnAName ?? ''), quoteName(ColumnBName ?? '')];
            return `(select count(*) from (select ${a} from ${this.#table}
                where ${a} is not null and ${where} group by ${a}
                having count(distinct ${b}) <> ${Requirement.ExpectedCount}))`;
        }
        return `count(*) filter (
            where ${where} and not coalesce(${this.#predicate(Requirement)}, false))`;
    }

    #condition(condition: Condition): string {
        if (isCheck(condition)) return this.#predicate(condition);
        const { AND } = condition as { readonly AND?: Check | readonly Check[] };
        if (AND === undefined) return 'true';
        const all = Array.isArray(AND) ? (AND as readonly Check[]) : [AND as Check];
        return all.map((of) => this.#predicate(of)).join(' and ') || 'true';
    }

    /** What rows must be, true or false for each. */
    #predicate(check: Check): string {
        const { Items = [], Value, ResultColumnName } = check;
        const column = this.#column(check.ColumnName ?? check.CheckCondition);
        const [a, b] = [this.#column(check.ColumnAName), this.#column(check.ColumnBName)];
        const all = (word: string) =>
            `(${Items.map((of) => this.#predicate(of)).join(` ${word} `)})`;
        switch (check.CheckFunction) {
            case 'AND':
                return all('and');
            case 'OR':
                return all('or');
            case 'CheckModelRule':
                return this.#rule(check.ModelRuleId ?? '');
            case 'CheckValue':
                return this.#equals(column, Value ?? null);
            case 'CheckNotValue':
                return `not ${this.#equals(column, Value ?? null)}`;
            case 'CheckSameValue':
                return `${a} is not distinct from ${b}`;
            case 'CheckNotSameValue':
                return `${a} is distinct from ${b}`;
            case 'CheckGreaterOrEqualThanValue':
                return `(${column} is null or ${number(column)} >= ${Value})`;
            case 'ColumnByColumnEqualsColumnValue':
                return isProduct(a, b, this.#column(ResultColumnName));
            case 'CheckNationalCurrency':
                return `(${column} is null or ${column} in (${codes.codes().map(quoteText).join(', ')}))`;
            default: {
                const format = formatChecks[check.CheckFunction];
                if (!format) throw new Error(`no check function ${check.CheckFunction}`);
                return `(${column} is null or ${format(column)})`;
            }
        }
    }

    /** A rule as a predicate over a row: where it holds, what it asks for is so. */
    #rule(rule: string): string {
        const { Condition, Requirement } = criteriaOf(this.#model, rule);
        if (!isCheck(Requirement)) throw new Error(`nothing checks ${rule}`);
        return `(not (${this.#condition(Condition)}) or ${this.#predicate(Requirement)})`;
    }

    #equals(column: string, value: string | number | null): string {
        if (value === null) return `(${column} is null)`;
        if (typeof value === 'number') return `coalesce(${number(column)} = ${value}, false)`;
        return `coalesce(${column} = ${quoteText(value)}, false)`;
    }

    /** A column that is not there has no value. */
    #column(name: string | undefined): string {
        return name !== undefined && this.#columns.has(name)
            ? quoteName(name)
            : 'cast(null as varchar)';
    }

    /** The columns that a check looks at. */
    columnsOf(check: Check): readonly string[] {
        const own = [
            check.ColumnName,
            check.ColumnAName,
            check.ColumnBName,
            check.ResultColumnName,
        ];
        return [
            ...own.filter((of) => of !== undefined),
            ...(check.Items ?? []).flatMap((of) => this.columnsOf(of)),
        ];
    }
}

const number = (column: string) => `try_cast(${column} as decimal(38, 18))`;
