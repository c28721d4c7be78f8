/** What a process says is nobody else's business until you say so. */
export const DEFAULT_METRICS_HOST = '127.0.0.1';

/** Where a process answers. */
export interface ListenAt {
  /** 0 takes any that is free. */
  port: number;
  /** Default DEFAULT_METRICS_HOST. */
  host?: string;
}
