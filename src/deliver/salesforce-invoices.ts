import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { canonicalJson, type JsonValue } from '../export/json.ts';
import { salesforceKey, sumText } from '../export/salesforce.ts';
import { addressFields } from '../export/salesforce-graph.ts';
import type { SalesforceSettings } from '../schema/deliver-salesforce.ts';
import { numberText } from './salesforce-bulk.ts';
import type { Org } from './salesforce-connection.ts';
import { type Parcel, type Target, TargetError } from './target.ts';

const ingest = '/commerce/invoicing/invoices/collection/actions/ingest';
const answer = z.object({
    invoices: z.array(z.object({ success: z.boolean(), errors: z.unknown() })).length(1),
});
const lineRow = z.object({
    ChargeAmount: z.number(),
    Invoice: z.object({ CurrencyIsoCode: z.string() }).optional(),
});

/**
 * Draft invoices by the ingestion API: a graph is taken whole or not at all, and Salesforce takes a unique
 * identifier once. Lines are read one by one: a sum in a query is in the currency of the org.
 */
export function ingestionRoute(
    org: Org,
    settings: SalesforceSettings,
    look: number,
): Pick<Target, 'find' | 'send' | 'readBack'> {
    const linesOf = async ({ parcel_key }: Parcel) => {
        const currency = settings.currency ? '' : ', Invoice.CurrencyIsoCode';
        const rows = await org.query<unknown>(
            `SELECT ChargeAmount${currency} FROM InvoiceLine ` +
                `WHERE Invoice.UniqueIdentifier = '${salesforceKey(parcel_key)}'`,
        );
        const read = z.array(lineRow).safeParse(rows).data;
        if (read) return read;
        throw new TargetError('unknown', 'it answered a query with something else');
    };
    const find: Target['find'] = async ({ parcel_key }) => {
        const key = salesforceKey(parcel_key);
        const soql = `SELECT Id FROM Invoice WHERE UniqueIdentifier = '${key}'`;
        const [row] = await org.query<{ readonly Id: string }>(soql);
        return row ? { remote_id: row.Id } : null;
    };
    return {
        find,
        send: async (parcel, found) => {
            if (found) return found;
            const body = await addressed(org, settings, parcel.payload);
            const said = await org.ask((of) =>
                of.request<unknown>({
                    ...{ method: 'POST', url: ingest, body: canonicalJson(body, 0) },
                    headers: { 'content-type': 'application/json' },
                }),
            );
            const [first] = answer.safeParse(said).data?.invoices ?? [];
            if (!first) throw new TargetError('unknown', 'it answered something else');
            // Salesforce refuses an identifier it has: then the invoice is there, and was sent before.
            if (!first.success && !(await find(parcel))) {
                const why = JSON.stringify(first.errors ?? null).slice(0, 500);
                throw new TargetError('refused', `it made no invoice: ${why}`);
            }
            for (let waited = 0; waited <= settings.wait_seconds * 1_000; waited += look) {
                const invoice = await find(parcel);
                if (invoice && (await linesOf(parcel)).length >= parcel.line_count) return invoice;
                await pause(look);
            }
            throw new TargetError('unknown', 'it is still making the invoice');
        },
        readBack: async (parcel) => {
            const lines = await linesOf(parcel);
            if (lines.length === 0) throw new TargetError('refused', 'it has nothing of it');
            const currencies = new Set(
                lines.map(({ Invoice }) => Invoice?.CurrencyIsoCode ?? settings.currency ?? ''),
            );
            const amount = sumText(lines.map(({ ChargeAmount }) => numberText(ChargeAmount)));
            return { line_count: lines.length, amount, currency: [...currencies].join(' ') };
        },
    };
}

/** The graph with the address of the account in it: only ids are known to be looked up there. */
async function addressed(
    org: Org,
    { account_field }: SalesforceSettings,
    payload: JsonValue,
): Promise<JsonValue> {
    const text = canonicalJson(payload, 0);
    const id = new RegExp(`"id":"${account_field}/([^"]+)"[^}]*"type":"Account"`).exec(text)?.[1];
    const fields = Object.values(addressFields);
    const path = `/sobjects/Account/${account_field}/${encodeURIComponent(id ?? '')}`;
    const account = await org.ask((of) =>
        of.request<Record<string, unknown>>(`${path}?fields=${fields.join(',')}`),
    );
    let addressedText = text;
    for (const field of fields) {
        const value = account[field];
        if (typeof value !== 'string' || value === '') {
            throw new TargetError('refused', `the account ${id} has no ${field}, which is needed`);
        }
        const written = JSON.stringify(value.toWellFormed());
        addressedText = addressedText.replaceAll(`"@{refAccount.${field}}"`, () => written);
    }
    return JSON.parse(addressedText) as JsonValue;
}
