import type { Engine } from '../duck/engine.ts';
import { links } from './carry-keys.ts';

/*
 * Which older rows a run has to look at again: those that new rows belong together with, by any
 * chain of ids, and those whose verdict depends on something else that changed: the accounts, the
 * time, what other rows are there.
 */

/** Rows reach each other over a few links. More rounds than this mean that nothing ends them. */
const roundLimit = 1000;

/** Accounts whose usage and debits are compared day by day: their rows of a day belong together. */
const isByDay = `account_hash in (
        select hash(account_id) from accounts.paths where wallet_shape = 'aggregated'
    )`;

/** Rows of one account and day count as linked only where a debit can be for a whole day. */
const dayOf = `case when role = 'debits' or ${isByDay} then day_hash end as day_hash`;

/**
 * Finds them among `old_keys` from `new_keys`, into the temporary table `touched` (role, object_no,
 * line_no). The previous run is attached as `previous`.
 */
export async function findTouched(engine: Engine): Promise<void> {
    await engine.run(
        'create or replace temp table touched (role varchar, object_no bigint, line_no bigint)',
    );
    await engine.run(`create or replace temp table frontier as
        select event_hash, authorization_hash, entry_hash, reversal_hash, ${dayOf} from new_keys
        union all by name (${waitingSql})`);
    await engine.run(`create or replace temp table found as ${changedSql}`);
    for (let round = 0; round < roundLimit; round++) {
        await engine.run(`insert into found ${linkedSql}`);
        await engine.run(`create or replace temp table added as
            select role, object_no, line_no from found
            anti join touched using (role, object_no, line_no)
            group by all`);
        const { rows } = await engine.one('select count(*) as rows from added');
        if (rows === 0n) return;
        await engine.run('insert into touched select * from added');
        await engine.run(`create or replace temp table frontier as
            select event_hash, authorization_hash, entry_hash, reversal_hash, ${dayOf}
            from old_keys semi join added using (role, object_no, line_no)`);
        await engine.run('delete from found');
    }
    throw new Error('rows reach each other over more links than there can be');
}

/** Older rows that a link leads to. */
const linkedSql = links
    .map(
        ([from, to]) => `select role, object_no, line_no from old_keys
        where ${to} in (select ${from} from frontier where ${from} is not null)`,
    )
    .join('\nunion all\n');

/** Accounts that are not what they were: another parent, payer, book or wallet, or new. */
const changedAccounts = `(
        (select * from accounts.paths except all select * from previous.accounts.paths)
        union all
        (select * from previous.accounts.paths except all select * from accounts.paths)
        union all by name
        (select * from accounts.spans except all select * from previous.accounts.spans)
        union all by name
        (select * from previous.accounts.spans except all select * from accounts.spans)
    )`;

/** Accounts that a log speaks of for the first time: usage that nobody could audit now can be. */
const newlyLogged = `(
        select account_hash from new_keys where role = 'debits' group by account_hash
        except
        select hash(account_id) from previous.recon.logged_accounts
    )`;

/** Rows by account. A payer's log audits all that it pays for. */
const changedSql = `select keys.role, keys.object_no, keys.line_no
    from old_keys as keys
    where keys.account_hash in (
        select hash(account_id) from ${changedAccounts}
        union all
        select account_hash from ${newlyLogged}
        union all
        select hash(account_id) from accounts.paths
        where hash(payer_id) in (select account_hash from ${newlyLogged})
    )`;

/**
 * What waits for time to pass, or was compared across the edge of the period: holds that are still
 * young, and cut-offs.
 */
const waitingSql = `
    select hash(entry_id) as entry_hash
    from previous.recon.histories
    where event_key in (
        select positions.event_key
        from previous.recon.positions as positions
        cross join previous.run.parameters as parameters
        where positions.open_hold > 0
            and positions.first_booked_at
                + to_hours(cast(parameters.open_hold_hours as integer)) >= parameters.as_of
    )
    union all by name
    select hash(event_id) as event_hash
    from previous.recon.outcomes
    where code = 'TIMING_CUTOFF' and event_id is not null
    union all by name
    select hash(usage_account_id, cast(right(break_key, 10) as date)) as day_hash
    from previous.recon.outcomes
    where code = 'TIMING_CUTOFF' and event_id is null`;
