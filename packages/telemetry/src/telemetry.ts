import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Metrics, type MetricsOptions } from './metrics.js';
import { type ListenAt, Readiness, type TelemetryServer } from './telemetry-server.js';
import { type Tracing, untraced } from './tracing.js';

/** The store has the same type; neither package imports the other. */
const RETRY_CHANNEL = 'tocsin:database-retry';

export interface TelemetryOptions extends MetricsOptions {
  /** Omit it to serve no metrics. */
  listen?: ListenAt;
  env?: NodeJS.ProcessEnv;
}

/** Metrics, readiness and traces of a process. One per process. */
export class Telemetry {
  readonly metrics: Metrics;
  readonly readiness = new Readiness();
  readonly tracing: Tracing;
  #server: TelemetryServer | undefined;

  private constructor(metrics: Metrics, tracing: Tracing) {
    this.metrics = metrics;
    this.tracing = tracing;
    subscribe(RETRY_CHANNEL, this.metrics.onDatabaseRetry);
  }

  /** Starts the metrics server and tracing if configured. @throws UserError when it cannot listen */
  static async start(options: TelemetryOptions): Promise<Telemetry> {
    const { listen, env = process.env, role } = options;
    const metrics = new Metrics({ ...options, node: listen !== undefined });
    const tracing = (await startTracing(env, `tocsin-${role}`, options.version)) ?? untraced;
    const telemetry = new Telemetry(metrics, tracing);
    if (listen !== undefined) {
      try {
        // Loaded on demand: most commands serve no metrics.
        const { TelemetryServer } = await import('./telemetry-server.js');
        telemetry.#server = await TelemetryServer.listen(listen, metrics, telemetry.readiness);
      } catch (error) {
        await telemetry.close();
        throw error;
      }
    }
    return telemetry;
  }

  /** The address of the metrics server, if it runs. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  /** Flushes spans and stops the metrics server. */
  async close(): Promise<void> {
    unsubscribe(RETRY_CHANNEL, this.metrics.onDatabaseRetry);
    await this.#server?.close();
    await this.tracing.close();
  }
}

/**
 * Exports spans to OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (OTLP over HTTP). Without either,
 * OpenTelemetry is not loaded.
 */
async function startTracing(
  env: NodeJS.ProcessEnv,
  service: string,
  version: string,
): Promise<Tracing | undefined> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return undefined;
  const { openTracing } = await import('./open-tracing.js');
  return openTracing(service, version);
}
