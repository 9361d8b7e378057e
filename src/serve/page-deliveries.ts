import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { deliveredWays } from '../report/delivered.ts';
import { amountFigure, figure } from '../report/figures.ts';
import {
    choice,
    name,
    named,
    nothing,
    number,
    numeric,
    remainder,
    section,
    table,
} from '../report/html-parts.ts';
import { stepNames } from '../report/three-way.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { DeliveryRecord, TargetDeliveries } from '../schema/delivery.ts';
import type { Standing } from '../schema/item.ts';
import type { ThreeWayRow } from '../schema/report.ts';
import { when } from './layout.ts';

/** Rows of a table: a page must open on a phone. */
const LIMIT = 500;

/** What targets have of a period: the way from each invoice to them, and how far each parcel is. */
export function deliveriesPage(
    certificate: Certificate,
    standing: Standing,
    deliveries: readonly TargetDeliveries[],
): ComponentChildren {
    const { period } = standing;
    const head = html`<h1>Deliveries of ${period}</h1>`;
    if (deliveries.length === 0) {
        return [head, nothing('Nothing of it was sent: `tieout deliver` does, of a closed month.')];
    }
    return [
        head,
        section('ways', 'From invoiced to delivered', waysTable(certificate, standing, deliveries)),
        section('parcels', 'Parcels', ...deliveries.flatMap(parcelsTable)),
    ];
}

type Row = Pick<ThreeWayRow, 'payer_id' | 'product' | 'asset' | 'invoiced'>;

function waysTable(
    { payers, run_id, pipeline }: Certificate,
    standing: Standing,
    deliveries: readonly TargetDeliveries[],
): VNode {
    const names = new Map(payers.map((of) => [of.payer_id, of.payer_name]));
    const held = new Set(
        standing.payers.filter((of) => of.standing === 'held').map(({ payer_id }) => payer_id),
    );
    const rows = payers.map(({ payer_id, currency, amount }): Row => {
        const invoiced = pipeline === 'nightly' ? amount : null;
        return { payer_id, product: '', asset: currency, invoiced };
    });
    const whole = deliveries.map(({ target, records }) => ({
        target,
        records: records.map(allProducts),
    }));
    const ways = deliveredWays(rows, { run_id, held, deliveries: whole }, (of) => of)
        .flatMap(({ deliveries: of, ...row }) => of.map((way) => ({ ...row, ...way })))
        .slice(0, LIMIT);
    if (ways.length === 0) return nothing('Targets have quantities of it, and no money.');
    return table(
        'Per payer and target; the steps add up exactly',
        [
            ...[choice('Payer'), choice('Target'), choice('Currency'), numeric('Invoiced')],
            ...[numeric('On the way'), numeric('Delivered')],
        ],
        ways.map(
            ({ payer_id, asset, invoiced, target, to_delivered, delivered }) => html`<tr>
                <th scope="row" class="name">${named(names.get(payer_id) ?? payer_id, payer_id)}</th>
                <td>${name(target)}</td>
                <td>${name(asset)}</td>
                ${number(amountFigure(invoiced ?? '0', asset))}
                <td class="number">
                    <ul class="parts">
                        ${to_delivered.map(
                            ({ step, amount }) => html`<li>
                                <span>${stepNames[step]}</span> <span>${amountFigure(amount, asset)}</span>
                            </li>`,
                        )}
                    </ul>
                </td>
                ${number(amountFigure(delivered, asset))}
            </tr>`,
        ),
    );
}

/** A record of a payer's money, whatever its products; one of quantities stays as it is. */
const allProducts = (record: DeliveryRecord): DeliveryRecord =>
    record.products.length === 0
        ? record
        : { ...record, products: [{ product: '', amount: record.amount }] };

function parcelsTable({ target, records }: TargetDeliveries): ComponentChildren[] {
    return [
        table(
            `Parcels for ${target}`,
            [
                ...[choice('Parcel'), choice('State'), numeric('Lines'), numeric('Amount')],
                ...[choice('There it is'), choice('Since'), choice('What was said')],
            ],
            records.slice(0, LIMIT).map(
                ({ parcel_key, state, line_count, amount, currency, ...of }) => html`<tr>
                    <th scope="row" class="name"><code>${name(parcel_key)}</code></th>
                    <td>${state}</td>
                    ${number(figure(String(line_count)))}
                    ${number(`${figure(amount)} ${currency}`)}
                    <td class="name"><code>${name(of.remote_id ?? '')}</code></td>
                    <td>${when(of.at)}</td>
                    <td class="name">${name(of.detail, 400)}</td>
                </tr>`,
            ),
        ),
        remainder(
            Math.min(records.length, LIMIT),
            records.length,
            `deliveries/${target}`,
            'of the state',
        ),
    ];
}
