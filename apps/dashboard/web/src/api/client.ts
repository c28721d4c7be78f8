import { QueryCache, QueryClient } from '@tanstack/preact-query';
import { ApiError } from './api-error.js';

const FRESH_MS = 2000;
const RETRIES = 2;

/** What the page knows of the server. An answer that asks for a key brings the sign-in back. */
export function createClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, { queryKey }) => {
        if (error instanceof ApiError && error.status === 401 && queryKey[0] !== 'me') {
          void client.invalidateQueries({ queryKey: ['me'] });
        }
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        retry: (tries, error) => error instanceof ApiError && error.passing && tries < RETRIES,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
