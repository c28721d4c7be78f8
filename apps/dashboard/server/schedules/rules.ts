/** What schedules may be made of. */
export interface ScheduleRules {
  /** Corpora of schedules that are made through the API lie in these directories. With none, none can be made. */
  corpusRoots: readonly string[];
  /** Webhooks may be at http, and at addresses that are not public. */
  allowPrivateWebhooks: boolean;
}
