import type { Engine } from '../duck/engine.ts';
import { quoteName, quoteTable } from '../duck/sql.ts';
import { carried } from './carried.ts';

/*
 * What is taken over from an earlier run: everything that it found, less what it found of the rows
 * that are looked at again.
 */

/**
 * Fills carried.*: the previous run, attached as `previous`, less what it found of the touched rows,
 * which is in `before`. What does not fit is said; null for nothing.
 */
export async function takeOver(engine: Engine): Promise<string | null> {
    await engine.run(`create or replace temp table renumbered as
        select before.object_no as old_no, objects.object_no as new_no
        from previous.raw.objects as before
        inner join raw.objects as objects using (input, key)`);
    for (const { name } of carried) {
        await engine.run(`delete from ${quoteTable(name)}`);
        await engine.run(`insert into ${quoteTable(name)} by name ${takenSql[name]}`);
    }
    for (const [what, sql] of Object.entries(misfits)) {
        const { row_count } = await engine.one(`select count(*) as row_count from (${sql})`);
        if (row_count !== 0n) return `${what} of the run before do not add up`;
    }
    return null;
}

const repeatsSql = (name: string) => `
    select repeats.* replace (places.new_no as object_no, firsts.new_no as first_object_no)
    from previous.${name} as repeats
    inner join renumbered as places on repeats.object_no = places.old_no
    inner join renumbered as firsts on repeats.first_object_no = firsts.old_no
    anti join before.${name} as again
        on places.new_no = again.object_no and repeats.line_no = again.line_no`;

const suspendedSql = (name: string) => `
    select places.new_no as object_no, suspended.* exclude (object_no)
    from previous.${name} as suspended
    inner join renumbered as places on suspended.object_no = places.old_no
    anti join before.${name} as again
        on places.new_no = again.object_no and suspended.line_no = again.line_no`;

/** Sums of the previous run less those of `before`; what has no rows left is gone. */
function lessSql(
    name: string,
    sums: Readonly<Record<string, string>>,
    counts: readonly string[],
    where = '',
): string {
    const names = Object.keys(sums);
    const signed = (sign: string) =>
        names.map((column) => `${sign}${quoteName(column)} as ${quoteName(column)}`).join(', ');
    const totals = Object.entries(sums).map(
        ([column, type]) => `cast(sum(${quoteName(column)}) as ${type}) as ${quoteName(column)}`,
    );
    return `select * exclude (${names.join(', ')}), ${totals.join(', ')}
        from (
            select * replace (${signed('')}) from previous.${name} ${where}
            union all by name
            select * replace (${signed('-')}) from before.${name} ${where}
        )
        group by all
        having ${counts.map((column) => `sum(${quoteName(column)}) <> 0`).join(' or ')}`;
}

const exact = 'decimal(38, 24)';
const takenSql: Readonly<Record<string, string>> = {
    'carried.usage_repeats': repeatsSql('mediated.usage_repeats'),
    'carried.debit_repeats': repeatsSql('mediated.debit_repeats'),
    'carried.suspended_usage': suspendedSql('suspense.usage_rows'),
    'carried.suspended_debits': suspendedSql('suspense.debit_rows'),
    'carried.object_lines': `
        select places.new_no as object_no,
            lines.line_count - coalesce(again.line_count, 0) as line_count,
            lines.row_count - coalesce(again.row_count, 0) as row_count,
            lines.record_count - coalesce(again.record_count, 0) as record_count,
            lines.duplicate_count - coalesce(again.duplicate_count, 0) as duplicate_count,
            lines.conflict_count - coalesce(again.conflict_count, 0) as conflict_count,
            lines.suspended_count - coalesce(again.suspended_count, 0) as suspended_count
        from previous.mediated.object_lines as lines
        inner join renumbered as places on lines.object_no = places.old_no
        left join before.mediated.object_lines as again on places.new_no = again.object_no`,
    'carried.metered_usage': lessSql(
        'metered.usage',
        { quantity: 'decimal(38, 12)', event_count: 'bigint' },
        ['event_count', 'quantity'],
    ),
    'carried.outcomes': `
        (select * from previous.recon.outcomes where fate = 'break'
            except all select * from before.recon.outcomes where fate = 'break')
        union all by name
        ${lessSql(
            'recon.outcomes',
            {
                ...{ expected: exact, actual: exact, money: exact, captured: exact },
                ...{ accepted: exact, paid: exact },
                ...{ usage_count: 'bigint', entry_count: 'bigint' },
            },
            ['usage_count', 'entry_count'],
            "where fate <> 'break'",
        )}`,
    'carried.sides': lessSql(
        'recon.sides',
        { record_count: 'bigint', amount: exact },
        ['record_count'],
        // Those of the debits are made of the movements of wallets.
        "where side = 'usage'",
    ),
    'carried.wallet_movements': lessSql(
        'recon.wallet_movements',
        {
            ...{ entry_count: 'bigint', numbered_count: 'bigint', stated_count: 'bigint' },
            amount: exact,
        },
        ['entry_count'],
    ),
    'carried.price_versions': `select * from previous.recon.price_versions
        except all select * from before.recon.price_versions`,
    'carried.stated_prices': `select * from previous.recon.stated_prices
        except all select * from before.recon.stated_prices`,
    'carried.loose_balances': lessSql('recon.loose_balances', { net: 'bigint', at_us: 'hugeint' }, [
        'net',
    ]),
    'carried.odd_entries': lessSql(
        'recon.odd_entries',
        { entry_count: 'bigint', amount: exact, money: exact },
        ['entry_count'],
    ),
    // Numbers that were seen stay seen, whatever is looked at again.
    'carried.sequence_spans': 'select * from previous.recon.sequence_spans',
};

/** What would show that the previous run did not find what is taken from it. */
const misfits: Readonly<Record<string, string>> = {
    lines: `select * from carried.object_lines
        where least(line_count, row_count, record_count, duplicate_count, conflict_count, suspended_count) < 0`,
    quantities: 'select * from carried.metered_usage where event_count < 0',
    outcomes: `select * from carried.outcomes where least(usage_count, entry_count) < 0`,
    breaks: `select * from before.recon.outcomes where fate = 'break'
        except all select * from previous.recon.outcomes`,
    sides: 'select * from carried.sides where record_count < 0',
};
