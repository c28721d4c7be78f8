import { expect, test } from 'vitest';
import { clusterNodesOf, isClusterUrl, openCluster } from './redis.js';

test('an address names a login that is percent-encoded, and nodes with and without a port', () => {
  const url = 'rediss+cluster://us%40er:p%3Aw%2F@a.example:7000,[::1]:7001,b.example/';
  expect(isClusterUrl(url)).toBe(true);
  expect(clusterNodesOf(url)).toBe('a.example:7000,[::1]:7001,b.example');
  const cluster = openCluster(url);
  expect(cluster.options.redisOptions).toMatchObject({ username: 'us@er', password: 'p:w/', tls: {} });
  expect(cluster.status).toBe('wait');
  cluster.disconnect();
});

test('without a login and without TLS there is none', () => {
  const cluster = openCluster('redis+cluster://a.example');
  expect(cluster.options.redisOptions).toEqual({ maxRetriesPerRequest: null });
  cluster.disconnect();
});

test.each(['redis://a.example', 'redis+cluster://', 'redis+cluster://a.example/0'])(
  '%s names no nodes',
  (url) => {
    expect(clusterNodesOf(url)).toBeUndefined();
    expect(() => openCluster(url)).toThrow('the address of the Redis Cluster cannot be read');
  },
);
