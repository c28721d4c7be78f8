/** How a firing ended. */
export type FiringOutcome = 'done' | 'failed' | 'skipped';
/** What became of an attempt to tell a webhook: another one follows (`retried`), or none does. */
export type DeliveryOutcome = 'delivered' | 'retried' | 'failed';

/** Told of what this process does for the schedules, to be counted. What another process has done it does not tell. */
export interface ScheduleMeasures {
  onFiring(outcome: FiringOutcome): void;
  /** Seconds from when a schedule was due until its corpus began to be submitted. */
  onLag(seconds: number): void;
  onDelivery(outcome: DeliveryOutcome): void;
}

export const UNMEASURED: ScheduleMeasures = { onFiring: () => {}, onLag: () => {}, onDelivery: () => {} };
