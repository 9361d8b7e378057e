import type { Environment } from '../effects.ts';

/** Which signals a collector gets. */
export interface Signals {
    readonly traces: boolean;
    readonly metrics: boolean;
}

/**
 * What the standard variables of OpenTelemetry ask for: a signal is sent when there is an endpoint
 * for it or for all, unless it or the whole is switched off. Null for nothing, which costs nothing.
 */
export function wantedSignals(environment: Environment): Signals | null {
    if (environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return null;
    const isWanted = (signal: 'TRACES' | 'METRICS') =>
        environment[`OTEL_${signal}_EXPORTER`] !== 'none' &&
        Boolean(
            environment[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] ||
                environment.OTEL_EXPORTER_OTLP_ENDPOINT,
        );
    const signals = { traces: isWanted('TRACES'), metrics: isWanted('METRICS') };
    return signals.traces || signals.metrics ? signals : null;
}
