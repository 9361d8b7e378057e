import type { Break, PayerTotal, TieOut } from '../../src/schema/break.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import type { BalanceStatement, CommitmentStatement } from '../../src/schema/statement.ts';

/** Documents as a run writes them, each valid as it is: a test names only what it is about. */

/** A clear line of Acme for October 2026: 1,000 tokens at 0.0125, so 12.50 USD. */
export function lineItem(over: Partial<LineItem> = {}): LineItem {
    const line: LineItem = {
        line_key: '1f'.repeat(32),
        invoice_key: 'acme/2026-10/USD',
        line_type: 'usage',
        payer_id: 'acme',
        payer_name: 'Acme Corp',
        account_id: 'acme-eu',
        account_name: 'Acme Europe',
        product: 'inference',
        meter: 'tokens',
        attributes: '{"model":"large"}',
        description: 'Inference (large)',
        period_start: '2026-10-01T00:00:00Z',
        period_end: '2026-11-01T00:00:00Z',
        service_start: '2026-10-01T00:00:00Z',
        service_end: '2026-11-01T00:00:00Z',
        time_zone: 'UTC',
        quantity: '1000',
        unit: 'token',
        unit_price: '0.0125',
        rate_id: 'list/large',
        card: 'list',
        card_version: '2026-01',
        amount_exact: '12.5',
        amount: '12.50',
        amount_minor: 1250n,
        currency: 'USD',
        commitment_id: null,
        grant_id: null,
        asset: null,
        asset_amount: null,
        corrects_line_key: null,
        corrects_period: null,
        backfill_id: null,
        recon_status: 'clear',
    };
    return { ...line, ...over };
}

/** Acme promised 1,000 USD for October, and used 300 of it. */
export function commitmentStatement(over: Partial<CommitmentStatement> = {}): CommitmentStatement {
    const statement: CommitmentStatement = {
        ...{ payer_id: 'acme', commitment_id: 'deal/spend', description: 'Monthly spend' },
        ...{ meter: null, currency: 'USD' },
        ...{ window_start: '2026-10-01T00:00:00Z', window_end: '2026-11-01T00:00:00Z' },
        ...{ committed: '1000', counted_before: '0', counted: '300' },
        ...{ shortfall: '700', true_up: '700', overage: '0' },
    };
    return { ...statement, ...over };
}

/** A credit of 50 USD that Acme drew 20 of; half of the rest goes on. */
export function balanceStatement(over: Partial<BalanceStatement> = {}): BalanceStatement {
    const statement: BalanceStatement = {
        ...{ payer_id: 'acme', grant_id: 'deal/hello', description: 'Welcome', asset: 'USD' },
        ...{ opening: '0', granted: '50', drawn: '20', expired: '30', rolled_over: '15' },
        closing: '0',
    };
    return { ...statement, ...over };
}

/** `count` lines of one invoice, each with its own key. */
export function lineItems(count: number, over: Partial<LineItem> = {}): readonly LineItem[] {
    return Array.from({ length: count }, (_, index) =>
        lineItem({ ...over, line_key: hexKey(index, over.invoice_key ?? '') }),
    );
}

/** 64 hex digits that differ by number and by name. */
export function hexKey(index: number, name = ''): string {
    const tail = Buffer.from(name).toString('hex').slice(0, 50).padEnd(50, '0');
    return index.toString(16).padStart(14, '0') + tail;
}

/** Usage of Acme worth 4.20 USD that no wallet was debited for. */
export function breakItem(over: Partial<Break> = {}): Break {
    const item: Break = {
        break_id: 'b0'.repeat(32),
        code: 'METERED_NOT_DEBITED',
        break_key: 'evt-1',
        payer_id: 'acme',
        account_id: 'acme-eu',
        asset: 'USD',
        amount: '4.2',
        expected: '4.2',
        actual: '0',
        money_amount: '4.2',
        currency: 'USD',
        event_id: 'evt-1',
        authorization_id: null,
        entry_ids: '[]',
        first_at: '2026-10-09T08:30:00Z',
        age_days: 22,
        detail: 'No debit entry has this event or its request.',
        action: 'Bill it, or debit the wallet now.',
        accepted_by: '',
    };
    return { ...item, ...over };
}

/** One account that rated 12.5 USD and was debited as much. */
export function tieOut(over: Partial<TieOut> = {}): TieOut {
    const tie: TieOut = {
        payer_id: 'acme',
        account_id: 'acme-eu',
        asset: 'USD',
        status: 'tied',
        rated: '12.5',
        debited: '12.5',
        difference: '0',
        broken: '0',
        rounding: '0',
        repriced: '0',
        unexplained: '0',
    };
    return { ...tie, ...over };
}

/** Acme with the one line of `lineItem`, and no breaks. */
export function payerTotal(over: Partial<PayerTotal> = {}): PayerTotal {
    const payer: PayerTotal = {
        payer_id: 'acme',
        payer_name: 'Acme Corp',
        currency: 'USD',
        line_count: 1,
        amount_exact: '12.5',
        amount: '12.50',
        break_count: 0,
        break_money: '0',
        hold_limit: '10',
        unrated_count: 0,
        recon_status: 'clear',
    };
    return { ...payer, ...over };
}

/** A clean night: one object, one payer, one line, everything tied. */
export function certificate(over: Partial<Certificate> = {}): Certificate {
    const evidence: Certificate = {
        run_id: '2026-10-0123456789abcdef',
        pipeline: 'nightly',
        period: '2026-10',
        as_of: '2026-11-01T02:00:00Z',
        run_fingerprint: 'aa'.repeat(32),
        run_digest: 'bb'.repeat(32),
        tieout_version: '0.1.0',
        history: { from: null, because: 'it is the first run of the period' },
        engine_version: 'v1.5.6',
        inputs: [
            {
                input: 'usage',
                key: 'usage/2026-10-09/part-0.ndjson.gz',
                size: 48_213,
                etag: '"5d41402abc4b2a76b9719d911017c592"',
                sha256: 'cc'.repeat(32),
                lines: '1003',
                events: '1000',
                duplicates: '2',
                conflicts: '0',
                suspended: '1',
            },
        ],
        rules: { 'list.yaml': 'dd'.repeat(32) },
        stages: [
            {
                stage: '40-rate',
                sql_sha256: { 'rated.usage': 'ee'.repeat(32) },
                audits: ['every-usage-has-one-rate'],
            },
        ],
        totals: [
            {
                stage: '40-rate',
                relation: 'rated.usage',
                side: 'out',
                slice: 'tokens',
                row_count: '1000',
                quantity: '1000',
                amount: '12.5',
                hash_total: '123456789',
            },
        ],
        suspense: [{ code: 'TIMESTAMP_INVALID', row_count: '1' }],
        tie_outs: [tieOut()],
        breaks: [],
        payers: [payerTotal()],
        completeness: 'Every object was read whole: size, ETag and SHA-256 are pinned.',
        outputs: { 'line_items.csv': 'ff'.repeat(32) },
        result: 'clean',
    };
    return { ...evidence, ...over };
}

/** The items in an order that depends on the seed only (a multiplicative shuffle, for tests). */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
    const keyed = items.map((item, index) => ({
        item,
        key: ((index + 1) * 2_654_435_761 + seed * 40_503) % 4_294_967_296,
    }));
    return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
