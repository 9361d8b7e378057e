import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
    InMemorySpanExporter,
    SimpleSpanProcessor,
    TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Signals } from './settings.ts';
import { gaugesOf, type PlannedSpan, spansOf, type Timeline } from './timeline.ts';

/*
 * Loaded only at the end of a command, and only when a collector is named: the packages take longer
 * to load than most commands take. The exporters read the other standard variables themselves
 * (headers, certificates, compression, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES).
 */

/** No command waits longer for its collector, in milliseconds. */
const bound = 5_000;

/** Sends the spans and metrics of a command. Never throws; gives the signals that did not arrive. */
export async function exportTimeline(
    timeline: Timeline,
    signals: Signals,
): Promise<readonly string[]> {
    const resource = resourceFromAttributes({
        'service.name': 'tieout',
        'service.version': timeline.version,
    }).merge(detectResources({ detectors: [envDetector] }));
    const work: readonly [string, boolean, () => Promise<boolean>][] = [
        ['traces', signals.traces, () => exportTraces(timeline, resource)],
        ['metrics', signals.metrics, () => exportMetrics(timeline, resource)],
    ];
    const arrived = await Promise.all(
        work.map(async ([name, isWanted, send]) => {
            const isFine = !isWanted || (await withinBound(send()).catch(() => false));
            return isFine ? [] : [name];
        }),
    );
    return arrived.flat();
}

type Resource = ReturnType<typeof resourceFromAttributes>;

function withinBound(work: Promise<boolean>): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), bound);
    return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

async function exportTraces(timeline: Timeline, resource: Resource): Promise<boolean> {
    const finished = new InMemorySpanExporter();
    const provider = new TracerProvider({
        resource,
        spanProcessors: [new SimpleSpanProcessor({ exporter: finished })],
    });
    const tracer = provider.getTracer('tieout', timeline.version);
    const record = (
        { name, began, ended, isFailed, attributes }: PlannedSpan,
        within = ROOT_CONTEXT,
    ) => {
        const span = tracer.startSpan(name, { startTime: began, attributes }, within);
        if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(ended);
        return trace.setSpan(within, span);
    };
    const { command, parts } = spansOf(timeline);
    const within = record(command);
    for (const part of parts) record(part, within);
    await provider.forceFlush();
    const exporter = new OTLPTraceExporter({ timeoutMillis: bound });
    return new Promise((resolve) =>
        exporter.export(finished.getFinishedSpans(), ({ code }) => resolve(code === 0)),
    );
}

/** Collects when it is asked to. */
class OneReading extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
}

async function exportMetrics(timeline: Timeline, resource: Resource): Promise<boolean> {
    const reader = new OneReading();
    const meter = new MeterProvider({ resource, readers: [reader] }).getMeter(
        'tieout',
        timeline.version,
    );
    for (const { name, unit, description, points } of gaugesOf(timeline)) {
        const gauge = meter.createGauge(name, { unit, description });
        for (const { value, attributes } of points) gauge.record(value, attributes);
    }
    const { resourceMetrics } = await reader.collect();
    const exporter = new OTLPMetricExporter({ timeoutMillis: bound });
    return new Promise((resolve) =>
        exporter.export(resourceMetrics, ({ code }) => resolve(code === 0)),
    );
}
