import { describe, expect, test } from 'vitest';
import { backfillCsv } from '../../../src/export/backfill.ts';
import { renderBackfill } from '../../../src/report/backfill.ts';
import type { BackfillLine, BackfillPeriod, Provenance } from '../../../src/schema/backfill.ts';

const run = (run_id: string) => ({ run_id, run_digest: 'd' });
const moved = { currency: 'JPY', old: '1000', new: '1200', delta: '200' };
const line: BackfillLine = {
    ...{ line_key: '1f'.repeat(32), line_type: 'usage', payer_id: 'acme', account_id: 'acme' },
    ...{ product: 'llm', description: '=LLM', ...moved, delta_minor: '200', cause: 'late_events' },
    ...{ service_start: '2026-10-01T00:00:00Z', service_end: '2026-11-01T00:00:00Z' },
};
const period = (over: Partial<BackfillPeriod> = {}): BackfillPeriod => ({
    ...{ period: '2026-10', is_closed: true, bills_in: '2026-11', corrections: [] },
    ...{ refused: [], closings: null, lines: [line] },
    payers: [{ payer_id: 'acme', payer_name: 'Acme', ...moved, delta_minor: '200' }],
    products: [{ payer_id: 'acme', product: 'llm', ...moved }],
    ...over,
});
const made = (over: Partial<Provenance> = {}): Provenance => ({
    ...{ billed: run('old'), candidate: run('new'), as_of: '2026-11-05T00:00:00Z' },
    has_other_sales: false,
    evidence: {
        objects: { added: 1, gone: 2, changed: 3 },
        ...{ rules: ['card.yaml'], is_other_code: true },
    },
    ...over,
});

describe('a backfill as text', () => {
    test('has payers, products and lines, and what is behind them', () => {
        expect(renderBackfill([{ period: period(), made: made() }])).toMatchInlineSnapshot(`
          "2026-10 is closed: 2026-11 is the open period that bills its corrections
          old  old
          new  new, as of 2026-11-05T00:00:00Z
               objects: 1 more, 2 gone, 3 changed; rules: card.yaml; another version of tieout

             payer      old      new    delta    currency
             acme     1,000    1,200      200    JPY

          By product
             payer    product      old      new    delta    currency
             acme     llm        1,000    1,200      200    JPY

          By line
             line            account    what      old      new    delta    cause
             1f1f1f1f1f1f    acme       =LLM    1,000    1,200      200    late events"
        `);
    });

    test.each<[string, Partial<BackfillPeriod>, Partial<Provenance>, string]>([
        ['nothing differs', { lines: [], payers: [], products: [] }, {}, 'No line differs.'],
        [
            'nothing was billed',
            { is_closed: false, bills_in: null },
            { billed: null },
            'old  nothing was billed',
        ],
        ['an open month', { is_closed: false, bills_in: null }, {}, '2026-10 is open: the new run'],
        [
            'corrections since',
            { corrections: [{ kind: 'revert', backfill_id: 'b', bills_in: '2026-11' }] },
            {},
            'old and 1 correction since (revert b)',
        ],
        ['openings', { closings: 'x' }, {}, '2026-11 would open with something else'],
        [
            'late debits',
            {
                late_debits: [
                    {
                        ...{ payer_id: 'acme', account_id: 'lab', asset: 'TOK' },
                        ...{ old: '1000', new: '1500.5', delta: '500.5' },
                    },
                ],
            },
            {},
            'acme     lab        1,000    1,500.5    500.5    TOK',
        ],
        ['sales', {}, { has_other_sales: true }, 'Sales of sellers differ too'],
        [
            'refusals',
            { refused: [{ payer_id: 'acme', why: 'held', detail: 'held' }] },
            {},
            'reopen --period 2026-10 --reason WHY`, run it again and close it\n  acme: held',
        ],
    ])('says so: %s', (_what, of, by, sentence) => {
        expect(renderBackfill([{ period: period(of), made: made(by) }])).toContain(sentence);
    });
});

test('diff.csv has every line, who is refused, and no formula', () => {
    const refused = [{ payer_id: 'acme', why: 'held' as const, detail: 'held' }];
    const periods = [period(), period({ period: '2026-11', refused })];
    expect(backfillCsv({ document: 'tieout/backfill/1', periods })).toBe(
        [
            'period,payer_id,account_id,product,line_type,line_key,description,currency,old,new,delta,cause,bills_in,refused',
            `2026-10,acme,acme,llm,usage,${'1f'.repeat(32)},'=LLM,JPY,1000,1200,200,late_events,2026-11,`,
            `2026-11,acme,acme,llm,usage,${'1f'.repeat(32)},'=LLM,JPY,1000,1200,200,late_events,2026-11,held`,
            '',
        ].join('\n'),
    );
});
