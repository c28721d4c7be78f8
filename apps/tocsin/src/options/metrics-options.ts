import { DEFAULT_METRICS_HOST, type ListenAt } from '@tocsin/telemetry';
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface MetricsFlags {
  metricsPort?: number;
  metricsHost?: string;
}

/** @param env false for a command that runs beside a worker, which uses the variable's port */
export function addMetricsOptions(command: Command, { env = true } = {}): Command {
  const port = new Option('--metrics-port <port>', 'port for /metrics, /healthz and /readyz').argParser(
    portNumber,
  );
  const host = new Option(
    '--metrics-host <host>',
    `address of the metrics port (default: ${DEFAULT_METRICS_HOST})`,
  );
  if (env) {
    port.env('TOCSIN_METRICS_PORT');
    host.env('TOCSIN_METRICS_HOST');
  }
  return command.addOption(port).addOption(host);
}

/** The address to listen at, if any. @param offset index of the process: each uses the next port */
export function listenAt({ metricsPort, metricsHost }: MetricsFlags, offset = 0): ListenAt | undefined {
  if (metricsPort === undefined) return undefined;
  // Port 0 means any free port, for each process.
  return { port: metricsPort === 0 ? 0 : metricsPort + offset, host: metricsHost };
}

/** The same flags, for a child process. */
export function metricsArguments(flags: MetricsFlags, offset: number): string[] {
  const at = listenAt(flags, offset);
  if (at === undefined) return [];
  return [
    ...['--metrics-port', String(at.port)],
    ...(at.host === undefined ? [] : ['--metrics-host', at.host]),
  ];
}

export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port, 0 to 65535.');
}
