import { join } from 'node:path';
import { stringify } from 'yaml';
import { quoteText } from '../../src/duck/sql.ts';

const DAYS = 31;
const MODELS = ['aurora-large', 'aurora-small', 'lumen-1', 'lumen-2', 'prism', 'prism-mini'];
const PAYERS = 20;
const ACCOUNTS = 400;

const pick = (values: readonly string[], index: string) =>
    `[${values.map(quoteText).join(', ')}][1 + cast((${index}) % ${values.length} as bigint)]`;

/**
 * Statements that write Parquet usage and debits of October 2026, one file a day and side. Row i is
 * made from hash(i), so every size gives the same first rows. One event in 5,000 is sent twice, one
 * in 3,000 is never debited, one in 4,000 debits has no event. In two phases each debit is the capture
 * of a hold of its own, one in 100 of which was for more and gave the rest back.
 */
export function generateQueries(
    folder: string,
    events: bigint,
    shape: 'instant' | 'two_phase' = 'instant',
): readonly string[] {
    const perDay = events / BigInt(DAYS) + 1n;
    const statements: string[] = [];
    for (let day = 0; day < DAYS; day += 1) {
        const date = `2026-10-${String(day + 1).padStart(2, '0')}`;
        const first = BigInt(day) * perDay;
        const until = first + perDay < events ? first + perDay : events;
        const rows = `(
            select i, 'evt_' || lpad(to_hex(hash(i)), 16, '0') || lpad(i::varchar, 10, '0') as id,
                'acct-' || lpad((hash(i, 1) % ${ACCOUNTS})::varchar, 4, '0') as account,
                ${pick(MODELS, 'hash(i, 2)')} as model,
                cast(hash(i, 3) % 120000 + case when hash(i, 4) % 50 = 0 then 150000 else 0 end as bigint) as input_tokens,
                cast(hash(i, 5) % 1000 as bigint) as cached_share,
                cast(hash(i, 6) % 3000 + 1 as bigint) as output_tokens,
                timestamp '${date}' + to_milliseconds(20000 + (hash(i, 7) % 86340000)::bigint) as used_at
            from (select unnest(range(${first}, ${until})) as i)
        )`;
        const usage = join(folder, 'usage', `dt=${date}.parquet`);
        const debits = join(folder, 'debits', `dt=${date}.parquet`);
        statements.push(
            `copy (select '/gateway' as source, id, 'llm.completion' as type, account as subject, used_at as time,
                    model, input_tokens, input_tokens * cached_share // 1000 as cached_input_tokens, output_tokens
                from (select * from ${rows} union all select * from ${rows} where hash(i, 8) % 5000 = 0))
                to ${quoteText(usage)} (format parquet)`,
            `copy (${debitsOf(rows, shape)}) to ${quoteText(debits)} (format parquet)`,
        );
    }
    return statements;
}

function debitsOf(rows: string, shape: 'instant' | 'two_phase'): string {
    const captures = `select 'ent_' || i as entry_id, 'capture' as entry_type, account as account_id, 'USD' as asset,
            cast(round(
                (input_tokens - input_tokens * cached_share // 1000) * price
                + (input_tokens * cached_share // 1000) * price * 0.1
                + output_tokens * price * 5, 6) as decimal(18, 6)) as amount,
            used_at + interval 1 second as booked_at,
            case when hash(i, 9) % 4000 = 0 then 'ghost_' || i else id end as event_id,
            'w-' || account as wallet_id
        from (select *, cast(case when input_tokens > 200000 then 0.000006 else 0.000003 end as decimal(18, 9)) as price from ${rows})
        where hash(i, 10) % 3000 <> 0`;
    if (shape === 'instant') return captures;
    const rest = 'hash(entry_id, 11) % 100 = 0';
    return `with captures as (${captures}),
        lives as (select *, 'auth_' || entry_id as authorization_id from captures)
        select * replace ('h' || entry_id as entry_id, 'authorize' as entry_type,
                cast(amount + case when ${rest} then 0.01 else 0 end as decimal(18, 6)) as amount,
                booked_at - interval 5 second as booked_at) from lives
        union all by name select * from lives
        union all by name select * replace ('r' || entry_id as entry_id, 'release' as entry_type,
                cast(0.01 as decimal(18, 6)) as amount) from lives where ${rest}`;
}

/** Statements that write the same rows once more as NDJSON under gzip, with the names of the objects. */
export function ndjsonQueries(from: string, to: string): readonly string[] {
    const instant = (name: string) => `strftime(${name}, '%Y-%m-%dT%H:%M:%S.%fZ') as ${name}`;
    const sides = {
        usage: `'1.0' as specversion, * replace (${instant('time')})`,
        debits: `* replace (amount::varchar as amount, ${instant('booked_at')})`,
    };
    return Object.entries(sides).flatMap(([side, texts]) =>
        Array.from({ length: DAYS }, (_, day) => {
            const name = `dt=2026-10-${String(day + 1).padStart(2, '0')}`;
            const rows = `select ${texts} from read_parquet(${quoteText(join(from, side, `${name}.parquet`))})`;
            const file = quoteText(join(to, side, `${name}.ndjson.gz`));
            return `copy (${rows}) to ${file} (format json, compression gzip)`;
        }),
    );
}

/** The least that a night must do, in the bare engine over the same files. */
export function floorQueries(folder: string): Readonly<Record<string, string>> {
    const usage = `read_parquet(${quoteText(join(folder, 'usage', '*.parquet'))})`;
    const debits = `read_parquet(${quoteText(join(folder, 'debits', '*.parquet'))})`;
    return {
        scan: `select sum(input_tokens), sum(output_tokens), (select sum(amount) from ${debits}) from ${usage}`,
        'dedupe usage': `select count(*), sum(input_tokens) from (
            select input_tokens, row_number() over (partition by source, id order by time) as copy_no from ${usage}
        ) where copy_no = 1`,
        'dedupe debits': `select count(*), sum(amount) from (
            select amount, row_number() over (partition by entry_id order by booked_at) as copy_no from ${debits}
        ) where copy_no = 1`,
        'group by meter key and day': `select count(*) from (
            select subject, model, input_tokens > 200000 as is_long, cast(time as date) as day,
                sum(input_tokens - cached_input_tokens), sum(cached_input_tokens), sum(output_tokens)
            from ${usage} group by all
        )`,
        'full join on event id': `select count(*), sum(usage.input_tokens), sum(debits.amount)
            from ${usage} as usage full join ${debits} as debits on usage.id = debits.event_id`,
    };
}

/** The project over the generated files: file name to text. */
export function benchProject(
    shape: 'instant' | 'two_phase' = 'instant',
): Readonly<Record<string, string>> {
    const valid_from = '2025-01-01T00:00:00Z';
    const payers = Array.from({ length: PAYERS }, (_, index) => ({
        account_id: `org-${index}`,
        currency: 'USD',
        valid_from,
    }));
    const accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({
        account_id: `acct-${String(index).padStart(4, '0')}`,
        parent: `org-${index % PAYERS}`,
        currency: 'USD',
        valid_from,
    }));
    const rates = MODELS.flatMap((model) =>
        [
            ['standard', '3'],
            ['long', '6'],
        ].flatMap(([context_band, input]) => {
            const row = (token_class: string, price: string) => ({
                when: { model, token_class, context_band },
                price,
                from: valid_from,
            });
            return input === '3'
                ? [row('input', '3'), row('cache_read', '0.3'), row('output', '15')]
                : [row('input', '6'), row('cache_read', '0.6'), row('output', '30')];
        }),
    );
    const columns = {
        input_tokens: 'input_tokens',
        cached_input_tokens: 'cached_input_tokens',
        output_tokens: 'output_tokens',
    };
    return {
        'accounts.json': JSON.stringify([...payers, ...accounts]),
        'rates.yaml': stringify({
            card: 'bench',
            version: '1',
            currency: 'USD',
            charges: [
                {
                    product: 'llm-tokens',
                    description: 'LLM tokens',
                    meter: 'tokens',
                    model: 'per_unit',
                    unit: 'token',
                    price_per: '1000000',
                    rates,
                },
            ],
        }),
        'tieout.yaml': stringify({
            name: 'bench',
            store: { folder: 'data' },
            rate_card: 'rates.yaml',
            accounts: 'accounts.json',
            assets: { USD: { kind: 'currency', precision: 6 } },
            usage: [
                {
                    name: 'gateway',
                    prefix: 'usage/',
                    dates: 'dt={date}',
                    attributes: { model: 'model' },
                    quantities: columns,
                },
            ],
            debits: [{ name: 'wallet', prefix: 'debits/', dates: 'dt={date}' }],
            derived: {
                context_band: {
                    band: 'input_tokens',
                    steps: [{ up_to: '200000', is: 'standard' }, { is: 'long' }],
                },
            },
            meters: [
                {
                    meter: 'tokens',
                    event_type: 'llm.completion',
                    aggregation: 'sum',
                    unit: 'token',
                    attributes: ['model', 'context_band'],
                    token_classes: {
                        input: 'input_tokens - cached_input_tokens',
                        cache_read: 'cached_input_tokens',
                        output: 'output_tokens',
                    },
                },
            ],
            counts: { tokens: 'input_tokens + output_tokens' },
            asset_counts: { USD: 'tokens' },
            wallets: payers.map(({ account_id }) => ({
                accounts: account_id,
                asset: 'USD',
                shape,
            })),
            engine: { memory: '6GB' },
        }),
    };
}
