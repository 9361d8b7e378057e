import { compareText } from '../export/order.ts';
import { sumsBy } from '../report/headline.ts';
import type { Certificate } from '../schema/certificate.ts';
import { type Notice, noticeSchema } from '../schema/notice.ts';
import { type Outcome, resultOf } from '../schema/outcome.ts';

/** Commands that others are told of. */
export const noticed: ReadonlySet<string> = new Set(noticeSchema.shape.command.options);

/** An error is told in one line of at most so many characters. */
const messageLimit = 300;

/**
 * The notice of a command that ended at `at`. It has ids, codes and sums. What a stranger wrote into
 * a row can be in an error: it stands in quotes or on a later line, and neither is taken.
 */
export function noticeOf(outcome: Outcome, at: string): Notice {
    const { command, period, exit, error, run } = outcome;
    const certificate = run?.certificate ?? null;
    return noticeSchema.parse({
        version: 1,
        at,
        command,
        period: period ?? '',
        result: resultOf(outcome),
        exit,
        run_id: run?.run_id ?? null,
        digest: run?.run_digest ?? null,
        is_reused: run?.is_reused ?? false,
        held_payers: certificate ? heldPayers(certificate) : [],
        breaks: certificate ? openBreaks(certificate) : [],
        totals: certificate ? totalsOf(certificate) : [],
        error: error && {
            code: error.code,
            message: unquoted(error.message),
            remedy: unquoted(error.remedy),
        },
    });
}

function unquoted(text: string): string {
    const [line = ''] = text.split('\n', 1);
    // A quote that follows a letter is an apostrophe; one that never closes quotes the rest.
    return line.replaceAll(/(?<!\w)'[^']*'?|"[^"]*"?/g, "'...'").slice(0, messageLimit);
}

function heldPayers({ payers }: Certificate): readonly string[] {
    const held = payers.filter(({ recon_status }) => recon_status === 'held');
    return [...new Set(held.map(({ payer_id }) => payer_id))].sort(compareText);
}

function openBreaks({ breaks }: Certificate): Notice['breaks'] {
    const open = breaks.filter(({ code }) => code !== 'AMOUNT_ROUNDING');
    return [...Map.groupBy(open, ({ code }) => code)]
        .map(([code, of]) => ({
            code,
            break_count: of.reduce((sum, { break_count }) => sum + break_count, 0),
        }))
        .sort((one, other) => compareText(one.code, other.code));
}

/** A reconciliation writes no lines: it has no totals. */
function totalsOf({ pipeline, payers }: Certificate): Notice['totals'] {
    if (pipeline !== 'nightly') return [];
    const all = sumsBy(payers, ({ currency, amount }) => ({ unit: currency, amount }));
    const waiting = sumsBy(
        payers.filter(({ recon_status }) => recon_status === 'held'),
        ({ currency, amount }) => ({ unit: currency, amount }),
    );
    return all.map(({ unit, amount }) => ({
        currency: unit,
        amount,
        held: waiting.find((of) => of.unit === unit)?.amount ?? '0',
    }));
}
