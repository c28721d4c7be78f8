import { expect, test } from 'vitest';
import { METRICS, type MetricDefinition } from './metric-definitions.js';

const UNITS = ['seconds', 'bytes', 'ratio'];

/** The naming rules of promtool and of Prometheus' guide. */
test.each(Object.values<MetricDefinition>(METRICS))(
  '$name is named and explained as Prometheus asks',
  (metric) => {
    const { name, type, help, labels, buckets } = metric;
    expect(name).toMatch(/^tocsin_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(count|sum|bucket)$/);
    // Base units only.
    expect(name).not.toMatch(
      /_(ms|milliseconds|minutes|hours|kilobytes|mb|percent|counter|gauge|histogram)(_|$)/,
    );
    if (type === 'histogram') expect(UNITS).toContain(name.split('_').at(-1));
    expect(help).toMatch(/^[A-Z01].*\.$/);
    for (const label of labels) {
      expect(label).toMatch(/^[a-z]+$/);
      expect(['le', 'quantile', 'job', 'instance']).not.toContain(label);
    }
    expect(type === 'histogram').toBe(buckets !== undefined);
    expect(buckets ?? []).toEqual([...(buckets ?? [])].sort((a, b) => a - b));
  },
);

test('metric names are unique', () => {
  const names = Object.values(METRICS).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
