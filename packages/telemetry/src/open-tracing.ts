import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import type { SpanFacts, Tracing } from './tracing.js';

/** Loaded only when spans are exported. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence over our defaults. */
export function openTracing(service: string, version: string): Tracing {
  const ours = resourceFromAttributes({ 'service.name': service, 'service.version': version });
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(ours)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  // BullMQ's tracer looks it up globally, and reads a job's context from its opts.
  provider.register();
  const tracer = trace.getTracer('tocsin', version);
  return {
    queue: new BullMQOtel({ tracerName: 'bullmq', version }),
    within: <T>(name: string, facts: SpanFacts, work: () => Promise<T>) =>
      tracer.startActiveSpan(name, { attributes: facts }, async (span) => {
        try {
          return await work();
        } catch (error) {
          // Not its message: it may quote a row.
          span.setStatus({ code: SpanStatusCode.ERROR });
          span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
          throw error;
        } finally {
          span.end();
        }
      }),
    ended: (name, facts, ms) => {
      const end = Date.now();
      tracer.startSpan(name, { attributes: facts, startTime: end - ms }, ROOT_CONTEXT).end(end);
    },
    close: () => provider.shutdown(),
  };
}
