import type { Engine } from '../duck/engine.ts';
import type { CauseTotal } from '../schema/break.ts';
import { trimmed } from './decimals.ts';
import { relationCsv } from './relation-csv.ts';

/** Why usage and debits differ, as files: by break, by account, and what may belong together. */
export async function causeFiles(engine: Engine): Promise<Record<string, string>> {
    return {
        'break_causes.csv': await breakCausesCsv(engine),
        'difference_causes.csv': await differenceCausesCsv(engine),
        'suggestions.csv': await suggestionsCsv(engine),
    };
}

/** Usage and debits that may be one: both stay breaks until a person says so. */
function suggestionsCsv(engine: Engine): Promise<string> {
    const numbers = ['amount', 'other_amount'];
    const names = ['break_id', 'other_break_id', 'account_id', 'asset', 'break_key'];
    return relationCsv(
        engine,
        'select * from recon.suggestions order by account_id, asset, break_key, break_id',
        [...names, 'other_break_key', ...numbers, 'why'],
        numbers,
    );
}

/** Every break in which both sides are compared, by what made it as large as it is. */
function breakCausesCsv(engine: Engine): Promise<string> {
    const numbers = ['cause_no', 'amount'];
    const names = ['break_id', 'code', 'break_key', 'account_id', 'asset'];
    return relationCsv(
        engine,
        `select causes.* replace (causes.cause_no::varchar as cause_no,
                strftime(causes.effective_from, '%Y-%m-%dT%H:%M:%SZ') as effective_from),
            breaks.code, breaks.break_key
        from recon.break_causes as causes
        inner join recon.breaks as breaks on causes.break_id = breaks.break_id
        order by causes.account_id, causes.asset, breaks.code, breaks.break_key, causes.break_id,
            causes.cause_no`,
        [...names, ...['cause_no', 'cause', 'amount', 'rate_ids', 'effective_from', 'detail']],
        numbers,
    );
}

/** Rated - debited of every account and asset: the amounts of its causes are all of it. */
function differenceCausesCsv(engine: Engine): Promise<string> {
    const numbers = ['cause_count', 'amount'];
    return relationCsv(
        engine,
        `select * replace (cause_count::varchar as cause_count) from recon.difference_causes
        order by payer_id, account_id, asset, cause`,
        ['payer_id', 'account_id', 'asset', 'cause', ...numbers],
        numbers,
    );
}

/** The same of all accounts together, for the certificate. */
export async function readCauses(engine: Engine): Promise<readonly CauseTotal[]> {
    const rows = await engine.rows(
        `select cause, asset, sum(cause_count)::varchar as cause_count, sum(amount) as amount
        from recon.difference_causes
        group by cause, asset
        order by cause, asset`,
    );
    return rows.map(({ cause, asset, cause_count, amount }) => ({
        cause: String(cause),
        asset: String(asset),
        cause_count: String(cause_count),
        amount: trimmed(amount),
    }));
}
