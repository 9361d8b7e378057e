import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { parseAmount } from '../../src/money/amount.ts';

/** What goes wrong with a request: before it is done, after it is done, or instead of it. */
export const orgFaults = ['reset', 'lost', '500', 'lost 500', '429', '400'] as const;
export type OrgFault = (typeof orgFaults)[number];

type Row = Readonly<Record<string, string>>;
interface Job {
    readonly id: string;
    readonly object: string;
    readonly operation: string;
    readonly externalIdFieldName?: string;
    state: string;
    csv: string;
    errorMessage?: string;
    failed: readonly string[];
}

/** Fields of the two objects that are loaded, as docs/deliver-salesforce.md has them made. */
const fields: ReadonlyMap<string, ReadonlySet<string>> = new Map([
    [
        'Rated_Line__c',
        new Set([
            ...['Line_Key__c', 'Batch_Key__c', 'Account__r.External_Id__c', 'Amount__c'],
            ...['Quantity__c', 'Unit_Price__c', 'Asset_Amount__c', 'Currency__c', 'Unit__c'],
            ...['Line_Type__c', 'Product_Code__c', 'Meter__c', 'Usage_Account__c'],
            ...['Invoice_Key__c', 'Rate_Id__c', 'Commitment_Id__c', 'Grant_Id__c', 'Asset__c'],
            ...['Corrects_Line_Key__c', 'Corrects_Period__c', 'Attributes__c', 'Description__c'],
            ...['Service_Start__c', 'Service_End__c'],
        ]),
    ],
    [
        'TransactionJournal',
        new Set([
            ...['Line_Key__c', 'Batch_Key__c', 'UniqueIdentifier', 'Account.External_Id__c'],
            ...['UsageResourceId', 'QuantityUnitOfMeasureId', 'Quantity', 'ActivityDate'],
            ...['StartDate', 'EndDate', 'UsageType', 'Status'],
        ]),
    ],
]);

/** What a record has that its fields do not take; null for nothing. */
function wrongIn(row: Row): string | null {
    for (const [name, value] of Object.entries(row)) {
        const isLong = name === 'Attributes__c' || name === 'Description__c';
        const limit =
            name === 'Line_Key__c' || name === 'Batch_Key__c' ? 64 : isLong ? 32_000 : 255;
        if (value.length > limit) return `STRING_TOO_LONG:${name}`;
        const isDay = name.startsWith('Service_');
        const isInstant = name.endsWith('Date');
        const form = isDay ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
        if ((isDay || isInstant) && !form.test(value)) return `MALFORMED_DATE:${name} ${value}`;
    }
    const { ActivityDate = '-', Quantity } = row;
    return Quantity !== undefined && ActivityDate === '' ? 'REQUIRED_FIELD_MISSING' : null;
}

export interface SalesforceOrg {
    readonly url: string;
    /** Records by object and external id. */
    readonly records: Map<string, Row>;
    /** Draft invoices by unique identifier, with their lines. */
    readonly invoices: Map<string, readonly Row[]>;
    readonly requests: readonly string[];
    readonly stop: () => Promise<void>;
}

/** An org that does what its documents say of the requests that a delivery makes, and fails as told. */
export async function salesforceOrg(
    faultOf: (number: number, request: string) => OrgFault | null = () => null,
    accounts: readonly string[] = ['acme', 'zeta'],
    /** A status and a code with which a request is refused. */
    refusalOf: (request: string) => readonly [number, string] | null = () => null,
): Promise<SalesforceOrg> {
    const records = new Map<string, Row>();
    const invoices = new Map<string, readonly Row[]>();
    const jobs = new Map<string, Job>();
    const requests: string[] = [];
    const no = (errorCode: string, message: string): [number, string] => [
        ...([400, JSON.stringify([{ errorCode, message }])] as const),
    ];
    const json = (value: unknown): [number, string] => [200, JSON.stringify(value)];

    const process = (job: Job): void => {
        const rows = parse(job.csv, { columns: true }) as Row[];
        job.state = 'JobComplete';
        const failed: string[] = [];
        const known = fields.get(job.object) ?? new Set();
        const unknown = Object.keys(rows[0] ?? {}).find((name) => !known.has(name));
        if (job.operation === 'upsert' && unknown !== undefined) {
            job.state = 'Failed';
            job.errorMessage = `InvalidBatch : Field name not found : ${unknown}`;
            return;
        }
        const keys = rows.map((row) => row[job.externalIdFieldName ?? ''] ?? '');
        for (const [index, row] of rows.entries()) {
            if (job.operation === 'delete') {
                records.delete(row.Id ?? '');
                continue;
            }
            const wrong = wrongIn(row);
            if (wrong !== null || keys.indexOf(keys[index] ?? '') !== index) {
                failed.push(wrong ?? `DUPLICATE_VALUE:${keys[index]} twice in a batch`);
                continue;
            }
            const account = row['Account__r.External_Id__c'] ?? row['Account.External_Id__c'] ?? '';
            const key = row[job.externalIdFieldName ?? ''] ?? '';
            const amount = row.Amount__c ?? row.Quantity ?? '';
            if (!accounts.includes(account)) failed.push(`INVALID_FIELD:no account ${account}`);
            else if (!/^-?\d{1,14}(\.\d{1,4})?$/.test(amount))
                failed.push(`STRING_TOO_LONG:${index}`);
            else records.set(`${job.object}/${key}`, row);
        }
        job.failed = failed;
    };

    const rowsOf = (soql: string): readonly unknown[] => {
        const key = /= '([^']*)'/.exec(soql)?.[1] ?? '';
        if (soql.includes('FROM InvoiceLine')) {
            return (invoices.get(key) ?? []).map(({ chargeAmount, currency }) => ({
                ...{ ChargeAmount: JSON.parse(chargeAmount ?? '0') },
                Invoice: { CurrencyIsoCode: currency },
            }));
        }
        if (soql.includes('FROM Invoice ')) return invoices.has(key) ? [{ Id: `3tt${key}` }] : [];
        const there = [...records].filter(([, row]) => row.Batch_Key__c === key);
        if (soql.startsWith('SELECT Id')) return there.map(([Id]) => ({ Id }));
        const code = /^SELECT (\w+) code/.exec(soql)?.[1] ?? '';
        const groups = Map.groupBy(there, ([, row]) => row[code] ?? '');
        return [...groups].map(([of, rows]) => {
            const amounts = rows.map(([, row]) =>
                parseAmount(row.Amount__c ?? row.Quantity ?? '0'),
            );
            const units = amounts.reduce(
                (sum, { units, scale }) => sum + units * 10n ** BigInt(4 - scale),
                0n,
            );
            const whole = units / 10n ** 4n;
            const rest = String(units % 10n ** 4n)
                .replace('-', '')
                .padStart(4, '0');
            const sign = units < 0n && whole === 0n ? '-' : '';
            return { code: of, found: rows.length, total: JSON.parse(`${sign}${whole}.${rest}`) };
        });
    };

    const ingested = (body: string): [number, string] => {
        type GraphRecord = { readonly record: Row & { attributes: { type: string; id?: string } } };
        const sent = JSON.parse(body) as { invoices: { graph: { records: GraphRecord[] } }[] };
        const all = sent.invoices[0]?.graph.records ?? [];
        const of = (type: string) => all.filter(({ record }) => record.attributes.type === type);
        const [invoice] = of('Invoice');
        const key = invoice?.record.uniqueIdentifier ?? '';
        const lines = of('InvoiceLine').map(({ record }) => record);
        const account = of('Account')[0]?.record.attributes.id?.split('/')[1] ?? '';
        const bad = [
            ...(sent.invoices.length === 1 ? [] : ['one invoice a request']),
            ...(all.length <= 500 ? [] : ['more than 500 records']),
            ...(accounts.includes(account) ? [] : ['no such account']),
            ...(invoices.has(key) ? ['DUPLICATE_VALUE'] : []),
            ...(lines.length > 0 ? [] : ['no line']),
            ...(of('InvoiceAddressGroup').every(({ record }) => record.city === 'Paris')
                ? []
                : ['no address']),
        ];
        if (bad.length === 0) {
            const currency = invoice?.record.currencyIsoCode ?? '';
            invoices.set(
                key,
                lines.map(({ chargeAmount = '' }) => ({ chargeAmount, currency })),
            );
        }
        return json({ invoices: [{ success: bad.length === 0, errors: bad }] });
    };

    const doIt = (method: string, path: string, query: URLSearchParams, body: string) => {
        if (path === '/services/oauth2/token') return json({ access_token: 'secret-token' });
        const [, rest = ''] = /^\/services\/data\/v67\.0(\/.*)$/.exec(path) ?? [];
        if (rest === '/query') {
            const found = rowsOf(query.get('q') ?? '');
            return json({ totalSize: found.length, done: true, records: found });
        }
        if (rest.startsWith('/sobjects/Account/')) {
            const address = {
                BillingStreet: '1 "Rue" $&',
                BillingCity: 'Paris',
                BillingState: 'IDF',
            };
            return json({ ...address, BillingPostalCode: '75001', BillingCountry: 'FR' });
        }
        if (rest.endsWith('/actions/ingest')) return ingested(body);
        const [, id = '', what = ''] = /^\/jobs\/ingest\/([^/]+)(?:\/(\w+))?$/.exec(rest) ?? [];
        if (rest === '/jobs/ingest' && method === 'GET') {
            return json({ records: [...jobs.values()], nextRecordsUrl: null });
        }
        if (rest === '/jobs/ingest') {
            const asked = JSON.parse(body);
            const isUpsert = asked.operation === 'upsert';
            if (isUpsert !== (asked.externalIdFieldName !== undefined)) return no('INVALIDJOB', '');
            const made = { ...asked, id: `750${jobs.size}`, state: 'Open', csv: '' };
            jobs.set(made.id, { ...made, failed: [] });
            return json(made);
        }
        const job = jobs.get(id);
        if (!job) return no('NOT_FOUND', path);
        if (what === 'batches') {
            job.csv = body;
            return [201, ''] as [number, string];
        }
        if (what === 'failedResults') {
            const lines = job.failed.map((of) => `,"${of}"`);
            return [200, ['sf__Id,sf__Error', ...lines].join('\n')] as [number, string];
        }
        if (method === 'PATCH') job.state = 'UploadComplete';
        else if (job.state === 'UploadComplete') process(job);
        return json({ id, object: job.object, state: job.state, errorMessage: job.errorMessage });
    };

    const reply = async (request: IncomingMessage, response: ServerResponse) => {
        const { method = '', url = '' } = request;
        const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
        requests.push(`${method} ${pathname}`);
        const fault = faultOf(requests.length, `${method} ${pathname}`);
        const body = await text(request);
        // Time passes for jobs whatever is asked.
        if (!pathname.includes('/jobs/ingest/')) {
            for (const job of jobs.values()) if (job.state === 'UploadComplete') process(job);
        }
        if (fault === 'reset') return request.socket.destroy();
        const [refused, errorCode] = refusalOf(`${method} ${pathname}`) ?? [];
        if (refused !== undefined) {
            response.writeHead(refused, { 'content-type': 'application/json' });
            return response.end(JSON.stringify([{ errorCode, message: 'told to' }]));
        }
        const isDone = fault === null || fault.startsWith('lost');
        const [status, answer] = isDone
            ? doIt(method, pathname, searchParams, body)
            : fault === '400'
              ? no('UNKNOWN_EXCEPTION', 'told to say no')
              : [Number.parseInt(fault, 10), ''];
        if (fault === 'lost') return request.socket.destroy();
        const isCsv = pathname.endsWith('Results');
        response.writeHead(fault === 'lost 500' ? 500 : status, {
            'content-type': isCsv ? 'text/csv' : 'application/json',
            ...(fault === '429' ? { 'retry-after': '0' } : {}),
        });
        response.end(answer);
    };
    const server = createServer((request, response) => void reply(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${port}`,
        ...{ records, invoices, requests },
        stop: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, 'close');
        },
    };
}
