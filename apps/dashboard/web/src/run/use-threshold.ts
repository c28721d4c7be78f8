import { useQuery } from '@tanstack/preact-query';
import type { Policy, Run } from '@tocsin/contract';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { policiesAsk } from '../api/policies.js';
import { within } from '../histogram/thresholds.js';
import { useSettled } from '../ui/hooks.js';

const SETTLED_MS = 200;
const FALLBACK = 0.5;
const DEFAULT_POLICY = 'default';

/** The threshold that is applied to a run on screen. */
export interface ThresholdInUse {
  value: number;
  /** The same, debounced, for requests to the server. */
  settled: number;
  set: (threshold: number) => void;
  policies: readonly Policy[];
  /** The policy with exactly this threshold. */
  policy: Policy | undefined;
}

/** From the URL, so that links reproduce the view; else the run's own, else the default policy's. */
export function useThreshold(run: Run): ThresholdInUse {
  const { query, path, route } = useLocation();
  const policies = useQuery(policiesAsk()).data?.data ?? [];
  const [moved, setMoved] = useState<number>();
  const fallback = policies.find(({ name }) => name === DEFAULT_POLICY)?.threshold ?? FALLBACK;
  const value = moved ?? fromAddress(query.threshold) ?? run.threshold ?? fallback;
  const settled = useSettled(value, SETTLED_MS);
  useEffect(() => {
    if (moved === undefined || settled !== moved || query.threshold === String(settled)) return;
    const search = new URLSearchParams({ ...query, threshold: String(settled) });
    route(`${path}?${search}`, true);
  }, [settled, moved, query, path, route]);
  return {
    value,
    settled,
    set: setMoved,
    policies,
    policy: policies.find(({ threshold }) => threshold === value),
  };
}

function fromAddress(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || text === '' || !Number.isFinite(value) ? undefined : within(value);
}
