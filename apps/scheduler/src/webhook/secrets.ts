import { UserError } from '@tocsin/core';

export const DEFAULT_SECRET_ENV = 'TOCSIN_WEBHOOK_SECRET';
const PREFIX = 'whsec_';
/** Required by Standard Webhooks. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const MAKE_HINT =
  'Make one: echo "whsec_$(openssl rand -base64 32)". Give it to the process that runs the schedules, and to the receiver.';

/**
 * Validates the name of the variable with a webhook's secret.
 * @throws UserError that does not repeat it: it may be the secret itself
 */
export function parseSecretEnv(name: string): string {
  if (/^[A-Z][A-Z0-9_]*$/.test(name) && !name.startsWith(PREFIX.toUpperCase())) return name;
  throw new UserError("expected the name of the environment variable that holds the webhook's secret", {
    hint: `Capital letters, digits and _: ${DEFAULT_SECRET_ENV}. The secret itself is not stored.`,
  });
}

/**
 * The signing secrets of a webhook: one, or several separated by spaces during rotation.
 * @throws UserError naming the variable and never its value
 */
export function readSecrets(env: NodeJS.ProcessEnv, name: string): string[] {
  const secrets = (env[name] ?? '').split(/\s+/).filter((secret) => secret !== '');
  if (secrets.length === 0) {
    throw new UserError(`${name}, which should hold the webhook's secret, is not set`, { hint: MAKE_HINT });
  }
  for (const secret of secrets) requireKey(secret, name);
  return secrets;
}

function requireKey(secret: string, name: string): void {
  const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const bytes = Buffer.from(base64, 'base64');
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  if (isBase64 && base64.length % 4 === 0 && bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES) return;
  throw new UserError(
    `${name} holds no webhook secret: expected whsec_ and ${MIN_BYTES} to ${MAX_BYTES} bytes in base64`,
    { hint: MAKE_HINT },
  );
}
