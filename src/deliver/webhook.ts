import { z } from 'zod';
import type { Environment } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { type Invoice, moneyText, productsOfLines } from '../export/invoices.ts';
import { canonicalJson, type JsonValue } from '../export/json.ts';
import { signature } from '../notify/post.ts';
import type { WebhookSettings } from '../schema/deliveries.ts';
import { decimalText } from '../schema/line-item.ts';
import { isNoticeUrl } from '../schema/notice.ts';
import { lockedOut } from './access.ts';
import { type Answered, askOnce, type Manners } from './http.ts';
import type { Names } from './names.ts';
import {
    type Counted,
    type Opening,
    type Parcel,
    type Receipt,
    type Target,
    TargetError,
} from './target.ts';

/** What a service answers about an invoice that it has. */
const storedInvoice = z.object({
    id: z.string().min(1).optional(),
    line_count: z.int().min(0),
    amount: decimalText,
    currency: z.string(),
});

const manners: Manners = {
    patience: 30_000,
    isBusy: ({ status }) => status === 429 || status === 503,
};

/**
 * A service of one's own: `PUT url/KEY` with an invoice as JSON, once or many times the same; `GET url/KEY`
 * gives `{id?, line_count, amount, currency}` of what it has, or 404. Signed when TIEOUT_WEBHOOK_SECRET is set.
 * @throws RunError DELIVERY_REFUSED when there is no address
 */
export function webhookTarget({
    settings,
    names,
    environment,
    now,
}: Opening<WebhookSettings>): Target {
    const url = addressOf(settings, environment);
    const secret = environment.TIEOUT_WEBHOOK_SECRET || null;
    const ask = async (method: 'GET' | 'PUT', parcel: Parcel) => {
        const body = method === 'PUT' ? canonicalJson(parcel.payload, 0) : '';
        const seconds = BigInt(Math.floor(Date.parse(now()) / 1_000));
        const address = `${url}/${encodeURIComponent(parcel.parcel_key)}`;
        const request: RequestInit = {
            method,
            headers: {
                'user-agent': 'tieout',
                ...(method === 'PUT'
                    ? {
                          'content-type': 'application/json',
                          'idempotency-key': parcel.parcel_key,
                          ...(secret
                              ? { 'tieout-signature': signature(secret, seconds, body) }
                              : {}),
                      }
                    : {}),
            },
            ...(method === 'PUT' ? { body } : {}),
        };
        return allowed(await askOnce(address, request, manners));
    };
    const find = async (parcel: Parcel): Promise<Receipt | null> => {
        const answer = await ask('GET', parcel);
        if (answer.status === 404) return null;
        return { remote_id: storedOf(answer).id ?? parcel.parcel_key };
    };
    return {
        name: 'webhook',
        address: settings.url_env ? `the address in ${settings.url_env}` : new URL(url).host,
        concurrency: settings.concurrency,
        perSecond: settings.per_second,
        pack: (invoices) => ({
            parcels: invoices.map((invoice) => parcelOf(invoice, names)),
            problems: [],
        }),
        find,
        send: async (parcel, found) => {
            if (found) return found;
            const { status, text } = await ask('PUT', parcel);
            if (status >= 200 && status < 300) return { remote_id: parcel.parcel_key };
            throw new TargetError('refused', `it answered ${status}${excerpt(text)}`);
        },
        readBack: async (parcel): Promise<Counted> => {
            const answer = await ask('GET', parcel);
            if (answer.status === 404) throw new TargetError('refused', 'it has nothing of it');
            const { line_count, amount, currency } = storedOf(answer);
            return { line_count, amount, currency };
        },
        close: async () => {},
    };
}

/** @throws RunError DELIVERY_LOCKED_OUT */
function allowed(answer: Answered): Answered {
    const { status } = answer;
    if (status !== 401 && status !== 403) return answer;
    const remedy =
        'Check TIEOUT_WEBHOOK_SECRET and the address against what the service expects; its log says why.';
    throw lockedOut('webhook', `it answered ${status}`, remedy);
}

function addressOf({ url, url_env = '' }: WebhookSettings, environment: Environment): string {
    const found = url ?? environment[url_env] ?? '';
    if (isNoticeUrl(found)) return found.replace(/\/+$/, '');
    throw new RunError('DELIVERY_REFUSED', {
        target: 'webhook',
        detail:
            found === ''
                ? `the environment variable ${url_env} is not set`
                : `${url_env} is neither https nor http to this machine`,
        remedy: 'Set it where tieout runs.',
    });
}

/** The beginning of what it said, which is why it refused. */
const excerpt = (text: string) => (text.trim() === '' ? '' : `: ${text.trim().slice(0, 200)}`);

function storedOf({ status, text }: Answered): z.output<typeof storedInvoice> {
    if (status !== 200) {
        throw new TargetError('refused', `it answered ${status} to GET${excerpt(text)}`);
    }
    try {
        return storedInvoice.parse(JSON.parse(text));
    } catch (cause) {
        const wanted = '{line_count, amount, currency}';
        throw new TargetError('refused', `it answered something else than ${wanted}`, { cause });
    }
}

/** An invoice as it is put: amounts and quantities are decimal text. */
function parcelOf(invoice: Invoice, names: Names): Parcel {
    const { invoice_key, payer_id, currency, lines, total } = invoice;
    const amount = moneyText(total, currency);
    const { payer_name, period_start, period_end, time_zone } = invoice;
    const head = { invoice_key, payer_id, payer_name, currency, amount, time_zone };
    const payload: JsonValue = {
        ...head,
        ...{ period_start, period_end, line_count: lines.length },
        customer: names.payer(payer_id) ?? payer_id,
        lines: lines.map(({ recon_status: _, amount_minor: __, ...line }) => line as JsonValue),
    };
    return {
        parcel_key: invoice_key,
        payer_id,
        currency,
        line_count: lines.length,
        amount,
        products: productsOfLines(lines, currency),
        payload,
    };
}
