import { type Bar, type ChartData, type ChartsOf, chartData } from './chart-data.ts';
import type { ReportModel } from './model.ts';

/** A chart as SVG that follows the colours of its page. */
export interface Chart extends Pick<ChartData, 'id' | 'title' | 'text'> {
    readonly svg: string;
}
export type Charts = ChartsOf<Chart>;

/** A page without charts: its tables say the same. */
export const noCharts: Charts = { ways: [], ages: [], trend: [], payers: [] };

const WIDTH = 580;
const ROW = 24;
const COLUMNS_HEIGHT = 168;
const LABEL_WIDTH = 178;
const FIGURE_WIDTH = 118;

const colours: Readonly<Record<Bar['kind'], string>> = {
    sum: 'var(--bar)',
    rise: 'var(--rise)',
    fall: 'var(--fall)',
};

let library: ReturnType<typeof loadLibrary> | undefined;

/**
 * Begins to load what draws the charts: it takes a third of a second, which a run has while the engine
 * is at work. Whoever draws them gets what was loaded, or why it was not.
 */
export function loadCharts(): ReturnType<typeof loadLibrary> {
    library ??= loadLibrary();
    library.catch(() => undefined);
    return library;
}

/**
 * Draws the charts of a report. The library is loaded only where a page is made. The same model
 * gives the same SVG: nothing of it depends on fonts, on time, or on what was drawn before.
 */
export async function drawCharts(model: ReportModel): Promise<Charts> {
    const data = chartData(model);
    if (Object.values(data).every((of: readonly ChartData[]) => of.length === 0)) return noCharts;
    const draw = await loadCharts();
    const all = (of: readonly ChartData[]) =>
        of.map(({ id, title, text, ...chart }) => ({
            ...{ id, title, text },
            svg: tidied(draw({ id, title, text, ...chart }), { id, title, text }),
        }));
    return {
        ways: all(data.ways),
        ages: all(data.ages),
        trend: all(data.trend),
        payers: all(data.payers),
    };
}

async function loadLibrary(): Promise<(chart: ChartData) => string> {
    const [core, charts, components, renderers] = await Promise.all([
        import('echarts/core'),
        import('echarts/charts'),
        import('echarts/components'),
        import('echarts/renderers'),
    ]);
    core.use([
        ...[charts.BarChart, charts.CustomChart],
        ...[components.GridComponent, renderers.SVGRenderer],
    ]);
    return (chart) => {
        const isRows = chart.shape === 'rows';
        const height = isRows ? chart.bars.length * ROW + 8 : COLUMNS_HEIGHT;
        const drawing = core.init(null, null, {
            ...{ renderer: 'svg', ssr: true, width: WIDTH, height },
        });
        drawing.setOption(isRows ? rowsOption(chart.bars) : columnsOption(chart.bars));
        const svg = drawing.renderToSVGString();
        drawing.dispose();
        return svg;
    };
}

const noAxis = { show: false, type: 'value' } as const;
const plainText = { color: 'var(--ink)', fontSize: 12, fontFamily: 'sans-serif' } as const;

/** Bars that lie: each from where it begins to where it ends, its name before and its figure after. */
function rowsOption(bars: readonly Bar[]) {
    const ends = bars.flatMap(({ from, to }) => [from, to]);
    const [least, most] = [Math.min(0, ...ends), Math.max(1, ...ends)];
    return {
        animation: false,
        grid: { left: LABEL_WIDTH, right: FIGURE_WIDTH, top: 4, bottom: 4, containLabel: false },
        xAxis: { ...noAxis, min: least, max: most },
        yAxis: {
            ...{ type: 'category', inverse: true, data: bars.map((_, index) => index) },
            axisLine: { show: true, onZero: true, lineStyle: { color: 'var(--rule)' } },
            axisTick: { show: false },
            axisLabel: {
                ...{ ...plainText, interval: 0, margin: 12, width: LABEL_WIDTH - 16 },
                ...{
                    overflow: 'truncate',
                    formatter: (index: string) => bars[Number.parseInt(index, 10)]?.label ?? '',
                },
            },
        },
        series: [
            {
                ...{ type: 'custom', silent: true, clip: false },
                data: bars.map(({ from, to }, index) => [from, to, index]),
                renderItem: rowItem(bars),
            },
        ],
    };
}

/** What the library gives to whoever draws an item. */
interface ItemApi {
    readonly value: (dimension: number) => number;
    readonly coord: (at: readonly number[]) => readonly number[];
}

function rowItem(bars: readonly Bar[]) {
    return (_params: unknown, api: ItemApi) => {
        const [from, to, index] = [api.value(0), api.value(1), api.value(2)];
        const bar = bars[index]!;
        const [start = 0, y = 0] = api.coord([Math.min(from, to), index]);
        const [end = 0] = api.coord([Math.max(from, to), index]);
        const width = Math.max(1, end - start);
        const shape = { x: start, y: y - 7, width, height: 14 };
        return {
            type: 'group',
            children: [
                { type: 'rect', shape, style: { fill: colours[bar.kind] } },
                {
                    type: 'text',
                    style: {
                        ...{ ...plainText, x: start + width + 8, y, text: bar.figure },
                        ...{ fill: 'var(--ink)', verticalAlign: 'middle' },
                    },
                },
            ],
        };
    };
}

/** Bars that stand, with the figure above and the name below. */
function columnsOption(bars: readonly Bar[]) {
    return {
        animation: false,
        grid: { left: 4, right: 4, top: 24, bottom: 24, containLabel: false },
        xAxis: {
            ...{ type: 'category', data: bars.map((_, index) => index) },
            axisLine: { lineStyle: { color: 'var(--rule)' } },
            axisTick: { show: false },
            axisLabel: {
                ...{ ...plainText, color: 'var(--quiet)', interval: 0 },
                formatter: (index: string) => bars[Number.parseInt(index, 10)]?.label ?? '',
            },
        },
        yAxis: { ...noAxis, min: 0, max: 1000 },
        series: [
            {
                ...{ type: 'bar', silent: true, barMaxWidth: 48, emphasis: { disabled: true } },
                itemStyle: { color: 'var(--bar)' },
                data: bars.map(({ to }) => to),
                label: {
                    ...{ ...plainText, show: true, position: 'top', textBorderWidth: 0 },
                    formatter: ({ dataIndex }: { readonly dataIndex: number }) =>
                        bars[dataIndex]?.figure ?? '',
                },
            },
        ],
    };
}

/**
 * Makes the SVG a part of the page: named for those who do not see it, without styles of its own, which
 * the policy of the page forbids, and without ids that count what else was drawn.
 */
function tidied(
    svg: string,
    { id, title, text }: Pick<ChartData, 'id' | 'title' | 'text'>,
): string {
    const body = svg
        .replace(/^<svg[^>]*>/, '')
        .replaceAll(/<style[^>]*>[\s\S]*?<\/style>/g, '')
        .replaceAll(/ (style|class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
        .replaceAll(/zr\d+-/g, `${id}-`);
    const [, box = ''] = /viewBox="([^"]*)"/.exec(svg) ?? [];
    return (
        `<svg viewBox="${box}" role="img" aria-labelledby="${id}-title ${id}-text">` +
        `<title id="${id}-title">${escaped(title)}</title>` +
        `<desc id="${id}-text">${escaped(text)}</desc>${body}`
    );
}

const entities: Readonly<Record<string, string>> = {
    ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' },
};

function escaped(text: string): string {
    return text.replaceAll(/[&<>"]/g, (found) => entities[found] ?? '');
}
