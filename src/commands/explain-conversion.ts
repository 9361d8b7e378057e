import type { Engine, Row } from '../duck/engine.ts';
import { visible } from '../report/visible.ts';
import { convertedId } from '../rules/convert.ts';
import { trimmed } from '../run/decimals.ts';
import type { LineItem } from '../schema/line-item.ts';

/** The rate of a line as its card has it, and what made the converted one of it; else nothing. */
export async function conversionOf(engine: Engine, line: LineItem): Promise<Row | undefined> {
    const end = convertedId('', line.currency);
    if (!line.rate_id.endsWith(end)) return undefined;
    const [row] = await engine.rows(
        `select rates.unit_price, rates.currency, rates.terms, conversions.rate,
            conversions.source, conversions.rated_on
        from rules.rates as rates
        inner join rules.currency_rates as conversions
            on rates.currency = conversions.from_currency
            and conversions.to_currency = $currency
        where rates.rate_id = $rate_id`,
        { currency: line.currency, rate_id: line.rate_id.slice(0, -end.length) },
    );
    return row;
}

/** The lines of an explanation that say so. */
export function conversionText(line: LineItem, of: Row): readonly string[] {
    const { currency } = of;
    const by = `x ${trimmed(of.rate)} (${visible(String(of.source))}, ${of.rated_on})`;
    if (of.terms === null) {
        const made = `${trimmed(line.unit_price)} ${line.currency}`;
        return [`converted  price ${trimmed(of.unit_price)} ${currency} ${by} = ${made}`];
    }
    return [
        `converted  every price in ${currency} ${by}, rounded once to 12 decimals; in ${currency}:`,
        `           ${visible(String(of.terms))}`,
    ];
}
