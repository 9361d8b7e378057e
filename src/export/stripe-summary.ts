import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { Invoice } from './invoices.ts';
import { jsonHash } from './json.ts';
import { compareInstants } from './order.ts';
import {
    described,
    inclusiveSeconds,
    metadata,
    minorUnits,
    type StripeLine,
    stripeLine,
} from './stripe-draft.ts';

/**
 * The lines of an invoice as one for each using account and product, for an invoice with more lines than
 * Stripe takes. Amounts are sums of rounded lines, exact; a quantity is there where all have one unit. Which
 * lines a summary is of is in the files of the run.
 */
export function summarisedLines(invoice: Invoice): readonly StripeLine[] {
    const groups = Map.groupBy(invoice.lines, ({ account_id, product }) =>
        JSON.stringify([account_id, product]),
    );
    return [...groups.values()].map((lines) => summaryOf(invoice.invoice_key, lines));
}

function summaryOf(invoice_key: string, lines: readonly LineItem[]): StripeLine {
    const [first] = lines;
    if (first === undefined || lines.length === 1) return stripeLine(first!);
    const { account_id, account_name, product } = first;
    const start = lines.map((of) => of.service_start).reduce(earlier);
    const end = lines.map((of) => of.service_end).reduce(later);
    return {
        amount: lines.map(minorUnits).reduce((sum, amount) => sum + amount),
        ...described(`${product}, ${account_name} (${lines.length} lines)`),
        metadata: metadata({
            line_key: jsonHash(['summary', invoice_key, account_id, product]),
            line_count: `${lines.length}`,
            product,
            usage_account: account_id,
            ...quantityOf(lines),
        }),
        period: inclusiveSeconds(start, end),
    };
}

const earlier = (a: string, b: string) => (compareInstants(a, b) <= 0 ? a : b);
const later = (a: string, b: string) => (compareInstants(a, b) >= 0 ? a : b);

/** The quantity of them all, where it means something: usage of one unit and nothing else. */
function quantityOf(lines: readonly LineItem[]): Readonly<Record<string, string>> {
    const unit = lines[0]?.unit ?? '';
    if (lines.some((of) => of.unit !== unit || of.line_type !== 'usage')) return {};
    const sum = lines.map(({ quantity }) => parseAmount(quantity)).reduce(add);
    return { quantity: formatAmount(sum), unit };
}
