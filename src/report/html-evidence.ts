import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { figure } from './figures.ts';
import {
    badge,
    inLines,
    name,
    nothing,
    number,
    numeric,
    prose,
    remainder,
    section,
    table,
    text,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';

/** Rows of the table of inputs: a page must open on a phone. */
const LIMIT = 500;

export function suspenseSection({ suspense }: ReportModel): VNode {
    const title = 'Suspense';
    if (suspense.length === 0) return section('suspense', title, nothing('No row is in suspense.'));
    return section(
        'suspense',
        title,
        html`<p>
            Rows that could not be used. They are kept with file, line and raw text in
            ${' '}<code>suspense.csv</code>, and are in no amount of this report.
        </p>`,
        table(
            'Rows in suspense per code',
            [text('Code'), numeric('Rows')],
            suspense.map(
                ({ code, row_count }) => html`<tr>
                    <th scope="row"><code class="code">${name(code)}</code></th>
                    ${number(figure(row_count))}
                </tr>`,
            ),
        ),
    );
}

/** Nothing in a run without sellers. */
export function marginsSection({ margins = [] }: ReportModel): VNode | false {
    if (margins.length === 0) return false;
    return section(
        'margins',
        'Margins of sellers',
        html`<p>
            What each seller pays for a product and what its buyers pay for it, exactly: both price the
            same metered usage. Usage of accounts that it sells nothing to is its own.
        </p>`,
        table(
            'Margins per seller and product',
            [
                ...[text('Seller'), text('Product'), numeric('Bought'), numeric('For own use')],
                ...[numeric('Sold'), numeric('Margin'), text('Currency')],
            ],
            margins.map(
                ({ seller_id, product, currency, bought, own_use, sold, margin }) => html`<tr>
                    <th scope="row">${name(seller_id)}</th>
                    <td>${name(product)}</td>
                    ${[bought, own_use, sold].map((amount) => number(figure(amount)))}
                    ${number(margin === null ? 'none: two currencies' : figure(margin))}
                    <td>${name(currency)}</td>
                </tr>`,
            ),
        ),
    );
}

/** Nothing in a run without payers of other currencies. */
export function conversionsSection({ conversions }: ReportModel): VNode | false {
    if (conversions.length === 0) return false;
    return section(
        'conversions',
        'Conversions',
        html`<p>
            Prices in the first currency for payers in the second: each price times the rate, rounded
            once to twelve decimals. A pair has one rate for the whole period. Without one, usage is in
            suspense and its payer is held.
        </p>`,
        table(
            'Rates of the period',
            [text('From'), text('To'), numeric('Rate'), text('Stated for'), text('By, or why not')],
            conversions.map(
                ({ from, to, rate, on, source, evidence }) => html`<tr
                    class=${rate === null ? 'attention' : undefined}
                >
                    <th scope="row">${name(from)}</th>
                    <td>${name(to)}</td>
                    ${number(rate === null ? 'none' : figure(rate))}
                    <td>${name(on ?? '')}</td>
                    <td class="name">${name(source ?? evidence ?? '')}</td>
                </tr>`,
            ),
        ),
    );
}

export function inputsSection({ inputs, completeness }: ReportModel): VNode {
    const title = 'Input objects';
    if (inputs.length === 0) return section('inputs', title, nothing('No object was read.'));
    const shown = inputs.slice(0, LIMIT);
    return section(
        'inputs',
        title,
        html`<p>${prose(completeness)}</p>`,
        table(
            'Objects as they were read, and what became of their lines',
            [
                text('Input'),
                text('Object'),
                numeric('Bytes'),
                numeric('Lines'),
                numeric('= Events'),
                numeric('+ Duplicates'),
                numeric('+ Conflicts'),
                numeric('+ Suspended'),
                text('SHA-256'),
            ],
            shown.map(
                (input) => html`<tr>
                    <td>${name(input.input)}</td>
                    <th scope="row" class="name"><code>${name(input.key)}</code></th>
                    ${number(figure(String(input.size)))} ${number(figure(input.lines))}
                    ${number(figure(input.events))} ${number(figure(input.duplicates))}
                    ${number(figure(input.conflicts))} ${number(figure(input.suspended))}
                    <td class="break-all"><code>${name(input.sha256)}</code></td>
                </tr>`,
            ),
            { count: inputs.length, file: 'certificate.json' },
        ),
        remainder(shown.length, inputs.length, 'certificate.json'),
    );
}

export function proofsSection({ proofs, controls }: ReportModel): VNode {
    return section(
        'proofs',
        'Proofs',
        table(
            'What must hold, and whether it does',
            [text('Statement'), numeric('Checked'), text('Result'), text('Where not')],
            proofs.map(
                (proof) => html`<tr class=${proof.holds ? undefined : 'attention'}>
                    <th scope="row" class="name">${proof.statement}</th>
                    ${number(proof.checked)}
                    <td>${proof.holds ? badge('good', 'holds') : badge('bad', 'fails')}</td>
                    <td class="name">${inLines(proof.failures.map((place) => name(place)))}</td>
                </tr>`,
            ),
        ),
        controls.length > 0 && controlsTable(controls),
    );
}

function controlsTable(controls: ReportModel['controls']): VNode {
    const optional = (value: string) => number(value === '' ? '' : figure(value));
    return table(
        'Control totals carried from stage to stage',
        [
            text('Stage'),
            text('Relation'),
            text('Side'),
            text('Slice'),
            numeric('Rows'),
            numeric('Quantity'),
            numeric('Amount'),
            text('Hash total'),
        ],
        controls.map(
            (total) => html`<tr>
                <th scope="row">${name(total.stage)}</th>
                <td>${name(total.relation)}</td>
                <td>${name(total.side)}</td>
                <td class="name">${name(total.slice)}</td>
                ${optional(total.row_count)} ${optional(total.quantity)} ${optional(total.amount)}
                <td><code>${name(total.hash_total)}</code></td>
            </tr>`,
        ),
        { count: controls.length, file: 'certificate.json' },
    );
}

export function fingerprintsSection({ fingerprints }: ReportModel): VNode {
    return section(
        'fingerprints',
        'Fingerprints',
        html`<p>The same inputs, rules and code give the same digest, on any machine.</p>`,
        table(
            'What this run was made of',
            [text('Of'), text('Value')],
            fingerprints.map(
                (one) => html`<tr>
                    <th scope="row" class="name">${name(one.name)}</th>
                    <td class="break-all"><code>${name(one.value)}</code></td>
                </tr>`,
            ),
            { count: fingerprints.length, file: 'certificate.json' },
        ),
    );
}
