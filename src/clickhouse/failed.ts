import { RunError } from '../errors/index.ts';

/** Numbers by which ClickHouse calls its errors. */
const codes = {
    refused: new Set(['192', '193', '194', '497', '516']),
    memory: new Set(['241']),
    overflow: new Set(['407', '69']),
    stopped: new Set(['395']),
    session: new Set(['372', '373']),
    object: new Set(['499']),
} as const;

/** Of the network: nothing was answered, or not to the end. */
const network =
    /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|EPIPE|Timeout|socket hang up|aborted|certificate/i;

function codeOf(error: unknown, detail: string): string | null {
    const own = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (/^\d+$/.test(own)) return own;
    return /Code: (\d+)/.exec(detail)?.[1] ?? null;
}

/** A statement as it is told of. */
export const oneLine = (statement: string): string => statement.replaceAll(/\s+/g, ' ');

/** What a statement that failed means to the person on call. */
export function failed(address: string, statement: string, error: unknown): RunError {
    if (error instanceof RunError) return error;
    const detail = (error instanceof Error ? error.message || error.name : String(error)).trim();
    const own = error instanceof Error && 'code' in error ? String(error.code) : '';
    const code = codeOf(error, detail);
    const of = {
        address,
        detail: `${/^E[A-Z]+$/.test(own) && !detail.includes(own) ? `${own} ` : ''}${detail}`,
    };
    if (code === null && network.test(`${own} ${detail}`)) {
        return new RunError('CLICKHOUSE_UNREACHABLE', of, error);
    }
    if (code !== null && codes.refused.has(code)) {
        return new RunError('CLICKHOUSE_REFUSED', of, error);
    }
    if (code !== null && codes.memory.has(code)) {
        return new RunError('CLICKHOUSE_MEMORY', of, error);
    }
    if (code !== null && codes.session.has(code)) {
        return new RunError('CLICKHOUSE_UNREACHABLE', of, error);
    }
    if (code !== null && codes.overflow.has(code)) {
        return new RunError('AMOUNT_OVERFLOW', { stage: 'clickhouse', detail }, error);
    }
    if (code !== null && codes.stopped.has(code) && detail.includes('OBJECT_CHANGED')) {
        return new RunError('CLICKHOUSE_OBJECT_CHANGED', { address }, error);
    }
    if (code !== null && codes.object.has(code)) {
        return new RunError('CLICKHOUSE_OBJECT_UNREADABLE', of, error);
    }
    return new RunError('CLICKHOUSE_FAILED', { ...of, statement: oneLine(statement) }, error);
}
