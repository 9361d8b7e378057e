import { meteredAgainViewSql } from '../src/compile/meters.ts';
import { eventShape } from '../src/compile/shape.ts';
import type { Asset, Config } from '../src/schema/config.ts';
import type { Stage } from '../src/stage/define.ts';
import { mediate } from './20-mediate/stage.ts';
import { meter } from './30-meter/stage.ts';
import { compiledMetered } from './30-meter/tables.ts';
import { cut } from './31-cut/stage.ts';
import { cutPartials, days, keptWholes } from './31-cut/tables.ts';
import { sell } from './35-sell/stage.ts';
import { rate } from './40-rate/stage.ts';
import { priceRun } from './45-price/stage.ts';
import { rollUp } from './50-roll-up/stage.ts';
import { hold, reconcile } from './70-reconcile/stage.ts';
import { bill } from './72-bill/stage.ts';
import { drawDown } from './76-draw-down/stage.ts';
import { invoice } from './80-invoice/stage.ts';
import { resell } from './85-resell/stage.ts';

/** What the stages are declared from: the config, and the instants at which rates change. */
export interface PipelineInputs {
    readonly config: Config;
    readonly assets: Readonly<Record<string, Asset>>;
    readonly boundaries: readonly string[];
    /** The same of the rates of one meter. */
    readonly boundariesOf?: (meter: string) => readonly string[];
    /** Meters that a rate prices event by event. */
    readonly byEvent?: readonly string[];
    /** Whether some accounts sell usage on to others. */
    readonly hasSellers?: boolean;
}

/** Usage and debits, tied out against each other. */
export function reconciliation(inputs: PipelineInputs): readonly Stage[] {
    const { config, assets, boundaries, boundariesOf, byEvent } = inputs;
    return [
        mediate(eventShape(config)),
        meter(config, boundaries, boundariesOf),
        ...(inputs.hasSellers ? [sell] : []),
        rate,
        priceRun(config, byEvent ?? []),
        rollUp,
        reconcile(config, assets),
    ];
}

/**
 * What follows from the partials of another run and its reconciliation, at other prices.
 * @param again meters that cannot be added up and are cut in another way than there.
 */
export function repricing(inputs: PipelineInputs, again: ReadonlySet<string>): readonly Stage[] {
    return [
        cut,
        meterAgain(inputs, again),
        ...(inputs.hasSellers ? [sell] : []),
        rate,
        priceRun(inputs.config, inputs.byEvent ?? []),
        rollUp,
        hold,
        ...invoicing(inputs),
    ];
}

/** 30-meter, where most of what it makes is there. */
function meterAgain(
    { config, boundaries, boundariesOf = () => boundaries }: PipelineInputs,
    again: ReadonlySet<string>,
): Stage {
    const whole = meter(config, boundaries, boundariesOf);
    const sql = meteredAgainViewSql(config, eventShape(config), boundariesOf, again);
    const compiled = (whole.compiled ?? []).map((view) =>
        view.table === compiledMetered ? { ...view, sql } : view,
    );
    return { ...whole, reads: [...whole.reads, days, cutPartials, keptWholes], compiled };
}

/** The night's work: the reconciliation, what commitments and balances make of it, then the lines. */
export function nightly(inputs: PipelineInputs): readonly Stage[] {
    return [...reconciliation(inputs), ...invoicing(inputs)];
}

const invoicing = ({ hasSellers }: PipelineInputs): readonly Stage[] => [
    bill,
    drawDown,
    invoice,
    ...(hasSellers ? [resell] : []),
];
