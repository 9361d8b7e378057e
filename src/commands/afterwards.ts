import type { Outcome } from '../schema/outcome.ts';
import { wantedSignals } from '../telemetry/settings.ts';
import type { Timeline } from '../telemetry/timeline.ts';
import type { CommandContext } from './command.ts';
import { tell } from './tell.ts';

/**
 * What follows a command once its answer is printed: a notice, and telemetry. Neither changes what
 * the command came to. Never throws; gives warnings.
 */
export async function afterwards(
    timeline: Timeline,
    context: CommandContext,
): Promise<readonly string[]> {
    const warnings = await Promise.all([
        toldText(timeline.outcome, context),
        exportedText(timeline, context),
    ]);
    return warnings.filter((of) => of !== null);
}

async function toldText(outcome: Outcome, context: CommandContext): Promise<string | null> {
    const why = await tell(outcome, context);
    return why && `nobody was told of this: ${why}`;
}

async function exportedText(
    timeline: Timeline,
    { environment }: CommandContext,
): Promise<string | null> {
    const signals = wantedSignals(environment);
    if (!signals) return null;
    const { exportTimeline } = await import('../telemetry/otlp.ts');
    const lost = await exportTimeline(timeline, signals);
    return lost.length > 0
        ? `the collector of OpenTelemetry did not take the ${lost.join(' and ')}`
        : null;
}
