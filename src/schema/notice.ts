import { z } from 'zod';
import { decimalText, instantText } from './line-item.ts';
import { strict } from './strict.ts';

const result = z.enum(['held', 'failed', 'finished']);

/** Loopback is for a relay on the same machine; everything else is encrypted. */
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether notices may go there: https, or http to this machine; no name or password in it. */
export function isNoticeUrl(text: string): boolean {
    const url = URL.parse(text);
    if (!url || url.username || url.password) return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname));
}

/** Who is told of runs, and of which. The address may be a secret: then it is in a variable. */
export const notifySchema = strict({
    url: z
        .string()
        .refine(isNoticeUrl, 'must be https, or http to this machine, without a password in it')
        .optional()
        .describe('Where notices are posted; https, or http to this machine.'),
    url_env: z
        .string()
        .regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of an environment variable')
        .optional()
        .describe('The environment variable that holds the address, when it is a secret.'),
    on: z
        .array(result)
        .min(1)
        .default(['held', 'failed', 'finished'])
        .describe('Of which results a notice is posted.'),
}).refine(
    ({ url, url_env }) => (url === undefined) !== (url_env === undefined),
    'must have either url or url_env',
);
export type Notify = z.output<typeof notifySchema>;

/** What is posted after `run`, `reconcile` and `close`. Ids, codes and sums; no usage, no row. */
export const noticeSchema = z.strictObject({
    version: z.literal(1).describe('Changes when a field changes its meaning or goes.'),
    at: instantText.describe('When the command ended, in UTC.'),
    command: z.enum(['run', 'reconcile', 'close']),
    period: z.string().describe('The billing period, yyyy-MM.'),
    result: result.describe('held: all work was done, and lines of some payers wait.'),
    exit: z.int().describe('Of the command: 0, 1, 2, 70 or 75.'),
    run_id: z.string().nullable().describe('Null when there was none.'),
    digest: z.string().nullable().describe('Of the run: equal inputs give equal digests.'),
    is_reused: z.boolean().describe('The run had finished before, and nothing was done.'),
    held_payers: z.array(z.string()).describe('Ids of payers whose lines wait.'),
    breaks: z
        .array(z.strictObject({ code: z.string(), break_count: z.int().nonnegative() }))
        .describe('Open breaks by code, without those accepted as rounding.'),
    totals: z
        .array(z.strictObject({ currency: z.string(), amount: decimalText, held: decimalText }))
        .describe('Sums of lines by currency, and the part of them that waits.'),
    error: z
        .strictObject({ code: z.string(), message: z.string(), remedy: z.string() })
        .nullable()
        .describe('The first line of what was printed; what stood in quotes is left out.'),
});
export type Notice = z.infer<typeof noticeSchema>;
