import type { LineItem } from '../schema/line-item.ts';
import { dayOf, lastDayBefore } from './civil-day.ts';
import { type Column, toCsv } from './csv.ts';
import {
    type DeliveryProblem,
    type DeliveryTotal,
    deliveryTotals,
    gatherInvoices,
    type Invoice,
    type ReconStatus,
    type WithheldInvoice,
    withhold,
} from './invoices.ts';
import { canonicalJson, type JsonValue, sha256 } from './json.ts';
import { netsuiteExternalId } from './netsuite-id.ts';

/** A CSV import job takes 25,000 records and 50 MB (NetSuite help, section_1534420642). */
const ROWS_PER_FILE = 25_000;
const BYTES_PER_FILE = 50_000_000;
/** One invoice leaves room for the header line. */
const BYTES_PER_INVOICE = BYTES_PER_FILE - 4_096;
/** One transaction takes 5,000 lines by CSV import (NetSuite help, section_N550610). */
const LINES_PER_INVOICE = 5_000;

/** Dates are read in the date format of the NetSuite account's preferences. */
export type NetsuiteDateFormat = 'YYYY-MM-DD' | 'MM/DD/YYYY' | 'DD/MM/YYYY' | 'DD.MM.YYYY';

export interface NetsuiteOptions {
    /** Which lines may go out; `held` is never allowed. */
    readonly include: ReadonlySet<ReconStatus>;
    /** Customer and Item as the saved import names them: external id by default. */
    readonly customer?: (payer_id: string) => string;
    readonly item?: (product: string) => string;
    /** Default YYYY-MM-DD. */
    readonly date_format?: NetsuiteDateFormat;
    /** YYYY-MM-DD. Default: the last day of the period, so that it posts where the usage was. */
    readonly invoice_date?: string;
    /** Before the invoice_key, to keep clear of other systems' external ids. Default `tieout-`. */
    readonly external_id_prefix?: string;
}

export interface NetsuiteFiles {
    readonly files: readonly { readonly name: string; readonly text: string }[];
    readonly totals: readonly DeliveryTotal[];
    readonly withheld: readonly WithheldInvoice[];
    readonly problems: readonly DeliveryProblem[];
}

/**
 * Invoices for NetSuite's CSV import, single-file layout: one row per line, the body columns on
 * every row, rows grouped by External ID. Files of at most 25,000 rows and 50 MB; an invoice is
 * never split. Headings are the field labels, so the import maps itself once and is then saved.
 *
 * - `Price Level` is -1, the custom level, without which NetSuite puts its own price in `Rate`;
 *   map the column by internal id. `Amount` stands after `Rate` and is ours: `Quantity` x `Rate`
 *   need not give it, as with tiers.
 * - `Start Date` and `End Date` are days in the payer's zone; the last one is inclusive.
 * - Import with mode Add: Update appends lines unless "overwrite sublists" is on.
 * - A customer or item id that a spreadsheet would run as a formula arrives with a leading `'`.
 * - What comes to less than zero is a credit memo, in files of their own, its signs turned: NetSuite takes
 *   no invoice below zero. `totals` have it as ours.
 * - `External ID` is the one by which `tieout deliver` puts the same lines: who does both has them once.
 *
 * The last file, `netsuite-summary.json`, says what the import files hold and what stays here.
 */
export function netsuiteInvoices(
    lines: Iterable<LineItem>,
    options: NetsuiteOptions,
): NetsuiteFiles {
    const gathered = gatherInvoices(lines, options.include);
    const rows = columns(options);
    const written = gathered.invoices.map((invoice) => writeInvoice(invoice, rows));
    const sendable = written.filter((one) => one.problem === undefined);
    const refused = written.filter((one) => one.problem !== undefined);
    const header = toCsv([], rows);
    const packed = [
        ...packedAs('invoices', header, sendable.filter(isInvoice)),
        ...packedAs(
            'credit-memos',
            header,
            sendable.filter((one) => !isInvoice(one)),
        ),
    ];
    const outcome = {
        totals: deliveryTotals(sendable.map((one) => one.invoice)),
        withheld: [...gathered.withheld, ...refused.map((one) => withhold(one.invoice, 'refused'))],
        problems: refused.flatMap((one) => one.problem ?? []),
    };
    const document = {
        document: 'tieout/netsuite-summary/1',
        files: packed.map(({ name, text, row_count }) => {
            return { name, row_count, sha256: sha256(text) };
        }),
        ...outcome,
    };
    const summary = `${canonicalJson(document as unknown as JsonValue)}\n`;
    const files = packed.map(({ name, text }) => ({ name, text }));
    return { files: [...files, { name: 'netsuite-summary.json', text: summary }], ...outcome };
}

const isInvoice = ({ invoice }: Pick<Written, 'invoice'>) => invoice.total.units >= 0n;

function packedAs(kind: string, header: string, written: readonly Written[]) {
    return pack(written, header).map((parts, index) => ({
        name: `netsuite-${kind}-${String(index + 1).padStart(3, '0')}.csv`,
        text: header + parts.map((part) => part.body).join(''),
        row_count: parts.reduce((count, part) => count + part.invoice.lines.length, 0),
    }));
}

interface Written {
    readonly invoice: Invoice;
    readonly body: string;
    readonly bytes: number;
    readonly problem?: DeliveryProblem;
}

interface Row {
    readonly invoice: Invoice;
    readonly line: LineItem;
}

function columns(options: NetsuiteOptions): readonly Column<Row>[] {
    const customer = options.customer ?? ((id) => id);
    const item = options.item ?? ((product) => product);
    const prefix = options.external_id_prefix ?? 'tieout-';
    const date = (day: string) => writeDay(day, options.date_format ?? 'YYYY-MM-DD');
    const text = (header: string, value: (row: Row) => string): Column<Row> => {
        return { header, kind: 'text', value };
    };
    const decimal = (header: string, value: (row: Row) => string): Column<Row> => {
        return { header, kind: 'decimal', value };
    };
    return [
        text('External ID', ({ invoice }) => netsuiteExternalId(prefix, invoice.invoice_key)),
        text('Customer', ({ invoice }) => customer(invoice.payer_id)),
        text('Date', ({ invoice }) => date(options.invoice_date ?? lastDay(invoice))),
        text('Currency', ({ invoice }) => invoice.currency),
        text('Memo', ({ invoice }) => `Usage ${firstDay(invoice)} to ${lastDay(invoice)}`),
        text('Item', ({ line }) => item(line.product)),
        decimal('Quantity', ({ line }) => line.quantity),
        decimal('Price Level', () => '-1'),
        decimal('Rate', ({ invoice, line }) => signed(invoice, line.unit_price)),
        decimal('Amount', ({ invoice, line }) => signed(invoice, line.amount)),
        text('Description', ({ line }) => line.description),
        text('Start Date', ({ line }) => date(dayOf(line.service_start, line.time_zone))),
        text('End Date', ({ line }) => date(lastDayBefore(line.service_end, line.time_zone))),
        text('custcol_line_key', ({ line }) => line.line_key),
        text('custcol_usage_account', ({ line }) => line.account_id),
        text('custcol_recon_status', ({ line }) => line.recon_status),
    ];
}

/** What a credit memo gives back is above zero in it; all digits of the text stay. */
function signed(invoice: Invoice, text: string): string {
    if (isInvoice({ invoice }) || /^[0.]*$/.test(text)) return text;
    return text.startsWith('-') ? text.slice(1) : `-${text}`;
}

function firstDay(invoice: Invoice): string {
    return dayOf(invoice.period_start, invoice.time_zone);
}

function lastDay(invoice: Invoice): string {
    return lastDayBefore(invoice.period_end, invoice.time_zone);
}

function writeDay(day: string, format: NetsuiteDateFormat): string {
    const [year, month, date] = day.split('-') as [string, string, string];
    return format.replace('YYYY', year).replace('MM', month).replace('DD', date);
}

function writeInvoice(invoice: Invoice, rows: readonly Column<Row>[]): Written {
    const text = toCsv(
        invoice.lines.map((line) => ({ invoice, line })),
        rows,
    );
    // No heading holds a line break: the first LF ends the header line.
    const body = text.slice(text.indexOf('\n') + 1);
    const bytes = Buffer.byteLength(body, 'utf8');
    const problem = refusalOf(invoice, bytes);
    return problem ? { invoice, body, bytes, problem } : { invoice, body, bytes };
}

function refusalOf(invoice: Invoice, bytes: number): DeliveryProblem | undefined {
    const { invoice_key, lines } = invoice;
    const refused = (code: string, message: string): DeliveryProblem => {
        return { code, severity: 'refused', invoice_key, line_key: null, message };
    };
    if (lines.length > LINES_PER_INVOICE || bytes > BYTES_PER_INVOICE) {
        return refused(
            'NETSUITE_INVOICE_TOO_LARGE',
            `${lines.length} lines in ${bytes} bytes; one invoice takes ${LINES_PER_INVOICE} ` +
                'lines by CSV import. Bill this payer in summary, or by several accounts.',
        );
    }
    return undefined;
}

/** Fills files in order. Every file holds at least one invoice, and only whole ones. */
function pack(invoices: readonly Written[], header: string): readonly (readonly Written[])[] {
    const files: Written[][] = [];
    let rows = 0;
    let bytes = 0;
    for (const one of invoices) {
        rows += one.invoice.lines.length;
        bytes += one.bytes;
        const file = files.at(-1);
        if (file && rows <= ROWS_PER_FILE && bytes <= BYTES_PER_FILE) {
            file.push(one);
        } else {
            files.push([one]);
            rows = one.invoice.lines.length;
            bytes = Buffer.byteLength(header, 'utf8') + one.bytes;
        }
    }
    return files;
}
