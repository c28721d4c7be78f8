import { HubConnection } from './hub-connection.js';
import { HubResponseError } from './hub-errors.js';
import type { HubSettings } from './hub-settings.js';

/** What the hub makes of the token: `unknown` where a mirror does not say. */
export type TokenState = 'none' | 'accepted' | 'refused' | 'unknown';

const UNAUTHORIZED = new Set([401, 403]);

/**
 * Asks the hub who we are: whether it answers, and what it makes of the token.
 * @throws HubNetworkError when there is no answer, the signal's reason when aborted
 */
export async function reachHub(settings: HubSettings, signal?: AbortSignal): Promise<TokenState> {
  const connection = new HubConnection(settings, signal);
  try {
    await connection.fetchWhole(`${settings.endpoint}/api/whoami-v2`);
    return settings.token === undefined ? 'none' : 'accepted';
  } catch (error) {
    // Any status is an answer.
    if (!(error instanceof HubResponseError)) throw error;
    if (settings.token === undefined) return 'none';
    return UNAUTHORIZED.has(error.status) ? 'refused' : 'unknown';
  } finally {
    await connection.close();
  }
}
