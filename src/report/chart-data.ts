import { compareText } from '../export/order.ts';
import { ageBuckets } from '../items/age.ts';
import { absolute, compare, parseAmount } from '../money/amount.ts';
import type { Night, Step, ThreeWay } from '../schema/report.ts';
import { compareDecimals, figure, isZero, magnitude, sum, summaryAmount } from './figures.ts';
import type { ReportModel } from './model.ts';
import { stepNames } from './three-way.ts';
import { clipped } from './visible.ts';

/** A bar from one value to another, in thousandths of the longest; its figure stands beside it. */
export interface Bar {
    readonly label: string;
    readonly from: number;
    readonly to: number;
    readonly figure: string;
    /** A sum stands on zero; a step leads from one to the next. */
    readonly kind: 'sum' | 'rise' | 'fall';
}

/** A chart before it is drawn. Every figure of it stands in a table of the page, too. */
export interface ChartData {
    /** Unique in the page. */
    readonly id: string;
    readonly title: string;
    /** What it shows, for those who do not see it. */
    readonly text: string;
    readonly shape: 'rows' | 'columns';
    readonly bars: readonly Bar[];
}

/** Charts of one kind: of the assets and currencies with the most to tell. */
const LIMIT = { units: 4, breaks: 5, payers: 8 } as const;
const NAME = 30;

/** All charts of the page by the section that they stand in. */
export interface ChartsOf<T> {
    readonly ways: readonly T[];
    readonly ages: readonly T[];
    readonly trend: readonly T[];
    readonly payers: readonly T[];
}

/** What the charts of a report show. Pure; empty where there is nothing to see. */
export function chartData(model: ReportModel): ChartsOf<ChartData> {
    return {
        ways: model.three_way.totals
            .filter(
                ({ to_metered, to_invoiced, deliveries }) =>
                    to_metered.length + to_invoiced.length + deliveries.length > 0,
            )
            // What is invoiced comes first: units only lead there.
            .toSorted((a, b) => (a.invoiced === null ? 1 : 0) - (b.invoiced === null ? 1 : 0))
            .slice(0, LIMIT.units)
            .map((way, index) => wayChart(way.asset, way, `way-${index + 1}`)),
        ages: model.ages.length > 0 ? [ageChart(model)] : [],
        trend: model.trend.length > 1 ? trendCharts(model.trend) : [],
        payers: payerCharts(model),
    };
}

/** A value and what is said of it, before it is put to scale. */
interface Value extends Omit<Bar, 'from' | 'to'> {
    readonly from: string;
    readonly to: string;
}

/** Exact amounts as thousandths of the largest: a chart is no place to read a figure from. */
function scaled(values: readonly Value[]): readonly Bar[] {
    const ends = values.flatMap(({ from, to }) => [parseAmount(from), parseAmount(to)]);
    const scale = ends.reduce((most, of) => Math.max(most, of.scale), 0);
    const most = ends
        .map(absolute)
        .reduce((a, b) => (compare(a, b) < 0 ? b : a), { units: 0n, scale: 0 });
    const unitsOf = ({ units, scale: own }: typeof most) => units * 10n ** BigInt(scale - own);
    const whole = most.units === 0n ? 1n : unitsOf(most);
    const place = (text: string) =>
        Number.parseInt(String((unitsOf(parseAmount(text)) * 1000n) / whole), 10);
    return values.map((of) => ({ ...of, from: place(of.from), to: place(of.to) }));
}

const barOf = (label: string, amount: string, unit: string): Value => ({
    ...{ label, from: '0', to: amount },
    ...{ figure: summaryAmount(amount, unit), kind: 'sum' },
});

function wayChart(asset: string, way: ThreeWay, id: string): ChartData {
    const unit = clipped(asset, NAME);
    const steps = (from: string, of: readonly Step[]) => {
        const texts = of.map(({ amount }) => amount);
        return of.map(({ step, code, amount }, index): Value => {
            const before = sum([from, ...texts.slice(0, index)]);
            return {
                ...{
                    label: clipped(code, NAME) || stepNames[step],
                    from: before,
                    to: sum([before, amount]),
                },
                figure: `${amount.startsWith('-') ? '' : '+'}${summaryAmount(amount, unit)}`,
                kind: amount.startsWith('-') ? 'fall' : 'rise',
            };
        });
    };
    const isInvoiced = way.invoiced !== null;
    const bars = [
        barOf('Authorized', way.authorized, unit),
        ...steps(way.authorized, largestBreaks(way.to_metered)),
        barOf('Metered', way.metered, unit),
        ...steps(way.metered, way.to_invoiced),
        ...(isInvoiced ? [barOf('Invoiced', way.invoiced, unit)] : []),
        ...way.deliveries.flatMap(({ target, to_delivered, delivered }) => [
            ...steps(way.invoiced ?? '0', to_delivered),
            barOf(clipped(`Delivered, ${target}`, NAME), delivered, unit),
        ]),
    ];
    return {
        id,
        title: `${titleOf(way)}, ${unit}`,
        text: bars.map(({ label, figure: of }) => `${label} ${of}`).join('; '),
        shape: 'rows',
        bars: scaled(bars),
    };
}

const titleOf = ({ invoiced, deliveries }: ThreeWay) =>
    [
        'Authorized to metered',
        ...(invoiced === null ? [] : ['invoiced']),
        ...(deliveries.length > 0 ? ['delivered'] : []),
    ].join(' to ');

/** The largest breaks by code, and all the others as one. */
function largestBreaks(steps: readonly Step[]): readonly Step[] {
    const breaks = steps
        .filter(({ step }) => step === 'break')
        .toSorted(
            (a, b) =>
                compareDecimals(magnitude(b.amount), magnitude(a.amount)) ||
                compareText(a.code, b.code),
        );
    const rest = steps.filter(({ step }) => step !== 'break');
    if (breaks.length <= LIMIT.breaks) return [...breaks, ...rest];
    const others = breaks.slice(LIMIT.breaks - 1);
    const amount = sum(others.map((of) => of.amount));
    const code = `${others.length} other codes`;
    return [...breaks.slice(0, LIMIT.breaks - 1), { step: 'break', code, amount }, ...rest];
}

const countBar = (label: string, count: number): Value => ({
    ...{ label, from: '0', to: String(count), figure: figure(String(count)), kind: 'sum' },
});

function ageChart({ ages }: ReportModel): ChartData {
    const bars = ageBuckets.map((bucket) =>
        countBar(
            bucket,
            ages
                .filter((of) => of.age_bucket === bucket)
                .reduce((sum, of) => sum + of.item_count, 0),
        ),
    );
    return {
        ...{ id: 'ages-chart', title: 'Open breaks by age in days', shape: 'columns' },
        text: bars.map((bar) => `${bar.label} days: ${bar.figure}`).join('; '),
        bars: scaled(bars),
    };
}

/** Nights that a chart has room for; the table has all. */
const NIGHTS = 20;

function trendCharts(all: readonly Night[]): readonly ChartData[] {
    const nights = all.slice(-NIGHTS);
    const chart = (id: string, title: string, bars: readonly Value[]): ChartData => ({
        ...{ id, title, shape: 'columns', bars: scaled(bars) },
        text: bars.map((bar) => `${bar.label}: ${bar.figure}`).join('; '),
    });
    const dayOf = ({ as_of }: Night) => clipped(as_of, NAME).slice(5, 10);
    const units = [...new Set(nights.flatMap(({ money }) => money.map(({ unit }) => unit)))].sort();
    return [
        chart(
            'trend-count',
            'Breaks, night by night',
            nights.map((night) => countBar(dayOf(night), night.break_count)),
        ),
        ...units.slice(0, LIMIT.units).map((unit, index) =>
            chart(
                `trend-${index + 1}`,
                `Money in breaks, night by night, ${clipped(unit, NAME)}`,
                nights.map((night) => {
                    const of = night.money.find((one) => one.unit === unit)?.amount ?? '0';
                    const [short = ''] = summaryAmount(of, unit).split(' ');
                    return { ...barOf(dayOf(night), of, unit), figure: short };
                }),
            ),
        ),
    ];
}

/** Where the money in breaks is: the payers with the most of it, by currency. */
function payerCharts({ payers, standing }: ReportModel): readonly ChartData[] {
    const open = new Map(standing.map((of) => [`${of.payer_id} ${of.currency}`, of.open_money]));
    const broken = payers
        .map((of) => ({ ...of, left: open.get(`${of.payer_id} ${of.currency}`) ?? of.break_money }))
        .filter(({ left }) => !isZero(left));
    return [...Map.groupBy(broken, ({ currency }) => currency)]
        .sort(([a], [b]) => compareText(a, b))
        .slice(0, LIMIT.units)
        .map(([currency, of], index) => {
            const bars = of
                .toSorted(
                    (a, b) =>
                        compareDecimals(b.left, a.left) || compareText(a.payer_id, b.payer_id),
                )
                .slice(0, LIMIT.payers)
                .map(({ payer_name, left }) =>
                    barOf(clipped(payer_name, NAME), left, clipped(currency, NAME)),
                );
            return {
                ...{ id: `payers-${index + 1}`, shape: 'rows', bars: scaled(bars) },
                title: `Payers with the most money in open breaks, ${clipped(currency, NAME)}`,
                text: bars.map((bar) => `${bar.label} ${bar.figure}`).join('; '),
            };
        });
}
