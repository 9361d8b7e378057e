import { defineError } from './define.ts';

interface AtServer {
    readonly address: string;
    readonly detail: string;
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';
const begin = (statement: string) => statement.slice(0, 80);

/** Errors of a night whose event-scale work is done on ClickHouse. */
export const clickhouseErrors = {
    CLICKHOUSE_UNREACHABLE: defineError<AtServer>(
        75,
        (p) => `${p.address} did not answer, or not to the end: ${firstLine(p.detail)}`,
        () =>
            'Check `engine.clickhouse.url` and the network, then run again: nothing was kept, and temporary tables go with the session.',
    ),
    CLICKHOUSE_REFUSED: defineError<AtServer>(
        2,
        (p) => `${p.address} refused: ${firstLine(p.detail)}`,
        () =>
            'Check TIEOUT_CLICKHOUSE_USER and TIEOUT_CLICKHOUSE_PASSWORD, and the grants in docs/clickhouse.md.',
    ),
    CLICKHOUSE_MEMORY: defineError<AtServer>(
        75,
        (p) => `${p.address}: out of memory: ${firstLine(p.detail)}`,
        () =>
            'Give the user of tieout more (`max_memory_usage`), or let it spill (`max_bytes_before_external_group_by`), then run again.',
    ),
    CLICKHOUSE_FAILED: defineError<AtServer & { statement: string }>(
        70,
        (p) =>
            `${p.address} refused a statement: ${firstLine(p.detail)} (${begin(p.statement)} ...)`,
        () =>
            'Nothing was kept. Run without `engine.clickhouse` meanwhile, and report the message.',
    ),
    CLICKHOUSE_OBJECT_CHANGED: defineError<{ address: string }>(
        75,
        (p) => `${p.address} read an object that is not the one that was listed`,
        () => 'Let the producer finish, then run again. Objects must not be overwritten in place.',
    ),
    CLICKHOUSE_OBJECT_UNREADABLE: defineError<AtServer>(
        75,
        (p) => `${p.address} could not read the bucket: ${firstLine(p.detail)}`,
        () =>
            'Check `engine.clickhouse.endpoint` and the named collection of `engine.clickhouse.collection` on the server, then run again.',
    ),
    CLICKHOUSE_ANSWER_SHORT: defineError<{ address: string; statement: string }>(
        75,
        (p) => `${p.address} ended an answer before its end (${begin(p.statement)} ...)`,
        () => 'Run again; if it repeats, something between here and the server cuts answers off.',
    ),
    CLICKHOUSE_UNSUPPORTED: defineError<{ reasons: readonly string[] }>(
        2,
        (p) =>
            [
                'what this project needs is not done on ClickHouse:',
                ...p.reasons.map((reason) => `- ${reason}`),
            ].join('\n'),
        () =>
            'Take `engine.clickhouse` out of tieout.yaml: DuckDB does all of it, with the same numbers. See docs/clickhouse.md.',
    ),
    CLICKHOUSE_ROWS_ELSEWHERE: defineError<{ run: string; what: string }>(
        2,
        (p) => `${p.run} was counted on ClickHouse, and ${p.what} needs rows that are not here`,
        () =>
            'Run the period without `engine.clickhouse` where you need that: the numbers are the same.',
    ),
    CLICKHOUSE_MANY_RETURNED: defineError<{
        returned: number;
        limit: number;
        unread: number;
        rows: number;
    }>(
        2,
        (p) =>
            `${p.returned} of ${p.rows} rows would come back, ${p.unread} of them in a form that is not read there; ${p.limit} may`,
        () =>
            'Look at what is common to them (docs/clickhouse.md says what is read there), or raise `engine.clickhouse.returned_rows`.',
    ),
};
