import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Metrics, type MetricsOptions } from './metrics.js';
import type { ListenAt } from './readiness.js';
import { Readiness } from './readiness.js';
import type { TelemetryServer } from './telemetry-server.js';
import { type Tracing, untraced } from './tracing.js';

/** The store names it so; it cannot import us, nor we it. */
const RETRY_CHANNEL = 'tocsin:database-retry';

export interface TelemetryOptions extends MetricsOptions {
  /** Without it nothing listens. */
  listen?: ListenAt;
  env?: NodeJS.ProcessEnv;
}

/** What a process says of itself: metrics, whether it is ready, traces. One a process. */
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

  /** Listens and traces, where that is asked for. @throws UserError when it cannot listen */
  static async start(options: TelemetryOptions): Promise<Telemetry> {
    const { listen, env = process.env, role } = options;
    const metrics = new Metrics({ ...options, node: listen !== undefined });
    const tracing = (await startTracing(env, `tocsin-${role}`, options.version)) ?? untraced;
    const telemetry = new Telemetry(metrics, tracing);
    if (listen !== undefined) {
      try {
        // Most commands never listen: they need not load a server.
        const { TelemetryServer } = await import('./telemetry-server.js');
        telemetry.#server = await TelemetryServer.listen(listen, metrics, telemetry.readiness);
      } catch (error) {
        await telemetry.close();
        throw error;
      }
    }
    return telemetry;
  }

  /** Where it listens, if it does. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  /** Sends the last spans, and listens no more. */
  async close(): Promise<void> {
    unsubscribe(RETRY_CHANNEL, this.metrics.onDatabaseRetry);
    await this.#server?.close();
    await this.tracing.close();
  }
}

/**
 * Sends spans to where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says (OTLP over HTTP). Without
 * either, nothing of OpenTelemetry is loaded.
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
