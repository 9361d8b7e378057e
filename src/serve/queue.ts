import { compareText } from '../export/order.ts';
import { ageBuckets } from '../items/age.ts';
import { compareDecimals, magnitude } from '../report/figures.ts';
import { type Sum, sumsBy } from '../report/headline.ts';
import { askedStatuses, isOfStatus, type OpenItem } from '../schema/item.ts';
import { shortKey } from './keys.ts';

/** What of the queue is looked at. Empty: all of it. */
export interface QueueQuery {
    readonly status: string;
    readonly code: string;
    /** Short keys of a payer and an owner; `none` for nobody. */
    readonly payer: string;
    readonly owner: string;
    readonly age: string;
    /** Part of an id or of what people look for. */
    readonly text: string;
    readonly sort: SortKey;
    readonly page: number;
}

export const sortKeys = ['age', 'worth', 'code', 'payer', 'owner'] as const;
export type SortKey = (typeof sortKeys)[number];

export const NOBODY = 'none';

/** Breaks of a page. One form may resolve them all. */
export const PAGE_SIZE = 50;

/** Reads a query as it stands in an address; what it does not understand asks for nothing. */
export function queueQuery(params: Readonly<Record<string, string>>): QueueQuery {
    const { status = 'open', code = '', payer = '', owner = '', age = '', text = '' } = params;
    return {
        status: askedStatuses.includes(status) ? status : 'open',
        ...{ code, payer, owner, text: text.trim() },
        age: ageBuckets.includes(age) ? age : '',
        sort: sortKeys.find((of) => of === params.sort) ?? 'age',
        page: /^[1-9]\d{0,5}$/.test(params.page ?? '')
            ? Number.parseInt(params.page ?? '1', 10)
            : 1,
    };
}

/** The address of a query; what is as it is anyway is left out. */
export function queueAddress(path: string, query: Partial<QueueQuery>): string {
    const { status = 'open', sort = 'age', page = 1, ...rest } = query;
    const said = [
        ...(status === 'open' ? [] : [['status', status] as const]),
        ...Object.entries(rest).filter(([, value]) => value !== ''),
        ...(sort === 'age' ? [] : [['sort', sort] as const]),
        ...(page === 1 ? [] : [['page', String(page)] as const]),
    ];
    const text = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
    return text === '' ? path : `${path}?${text}`;
}

/** One page of the queue, and what all of it comes to. */
export interface QueuePage {
    readonly items: readonly OpenItem[];
    readonly count: number;
    readonly page: number;
    readonly page_count: number;
    /** Worth of those with a price, each without its sign. */
    readonly worth: readonly Sum[];
    readonly unpriced_count: number;
}

/** The items that a query asks for, in its order. The order of `items` decides between equals. */
export function queuePage(items: readonly OpenItem[], query: QueueQuery): QueuePage {
    const asked = items.filter((of) => isAsked(of, query)).toSorted(orders[query.sort]);
    const page_count = Math.max(1, Math.ceil(asked.length / PAGE_SIZE));
    const page = Math.min(query.page, page_count);
    return {
        items: asked.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE),
        count: asked.length,
        page,
        page_count,
        worth: sumsBy(asked, ({ money_amount, currency }) => ({
            unit: currency,
            amount: money_amount === null ? null : magnitude(money_amount),
        })),
        unpriced_count: asked.filter(({ money_amount }) => money_amount === null).length,
    };
}

function isAsked(item: OpenItem, { status, code, payer, owner, age, text }: QueueQuery): boolean {
    return (
        isOfStatus(item, status) &&
        (code === '' || item.code === code) &&
        (payer === '' || keyOrNobody(item.payer_id) === payer) &&
        (owner === '' || keyOrNobody(item.owner) === owner) &&
        (age === '' || item.age_bucket === age) &&
        (text === '' ||
            [item.break_id, item.break_key, item.account_id ?? '', item.payer_id ?? ''].some((of) =>
                of.includes(text),
            ))
    );
}

/** How a payer or an owner stands in an address: ids may be of any length and letters. */
export const keyOrNobody = (id: string | null) => (id === null ? NOBODY : shortKey(id));

const orders: Readonly<Record<SortKey, (a: OpenItem, b: OpenItem) => number>> = {
    age: () => 0,
    worth: byWorth,
    code: (a, b) => compareText(a.code, b.code),
    payer: (a, b) => compareText(a.payer_id ?? '', b.payer_id ?? ''),
    owner: (a, b) => compareText(a.owner ?? '', b.owner ?? ''),
};

/** What has no price first, then the largest; currencies are never compared with each other. */
function byWorth(a: OpenItem, b: OpenItem): number {
    if (a.money_amount === null || b.money_amount === null) {
        return (a.money_amount === null ? 0 : 1) - (b.money_amount === null ? 0 : 1);
    }
    return (
        compareText(a.currency ?? '', b.currency ?? '') ||
        compareDecimals(magnitude(b.money_amount), magnitude(a.money_amount))
    );
}
