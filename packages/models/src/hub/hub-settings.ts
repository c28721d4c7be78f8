import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { Environment } from '../cache/cache-directory.js';

/** The hub's address and our credentials, from the variables that Python's client reads. */
export interface HubSettings {
  /** Without a trailing slash. */
  endpoint: string;
  /** The directory that holds one directory per repository. */
  cacheDir: string;
  token: HubToken | undefined;
  /** The variable that forbids the network, if set. */
  offline: string | undefined;
  env: Environment;
}

interface HubToken {
  value: string;
  /** The variable or file that it came from, for display. */
  from: string;
}

/** The default of `HF_ENDPOINT`. */
const DEFAULT_ENDPOINT = 'https://huggingface.co';
const YES = new Set(['1', 'ON', 'YES', 'TRUE']);

/**
 * Reads the settings, as huggingface_hub does:
 * `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME`/hub, `XDG_CACHE_HOME`/huggingface/hub, ~/.cache/huggingface/hub;
 * `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, the file `HF_TOKEN_PATH` or `HF_HOME`/token;
 * `HF_ENDPOINT`; `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`. An empty variable counts as unset.
 * @throws UserError when the token file cannot be read, or the endpoint is not a URL
 */
export async function hubSettings(env: Environment = process.env): Promise<HubSettings> {
  const endpoint = (env.HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/, '');
  if (!/^https?:$/.test(protocolOf(endpoint) ?? '')) {
    throw new UserError(`HF_ENDPOINT is no http or https URL: ${JSON.stringify(endpoint)}`, {
      hint: `Unset it, or give the address of a mirror, like ${DEFAULT_ENDPOINT}.`,
    });
  }
  const offline = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].find((name) => env[name]);
  return {
    endpoint,
    cacheDir: hubCacheDirectory(env),
    token: await readToken(env),
    offline: offline !== undefined && YES.has((env[offline] ?? '').toUpperCase()) ? offline : undefined,
    env,
  };
}

/** The cache shared with Python's clients, an absolute path; not created here. */
export function hubCacheDirectory(env: Environment = process.env): string {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  return named ? expand(named, env) : join(hubHome(env), 'hub');
}

function hubHome(env: Environment): string {
  if (env.HF_HOME) return expand(env.HF_HOME, env);
  return join(expand(env.XDG_CACHE_HOME || join('~', '.cache'), env), 'huggingface');
}

function expand(path: string, env: Environment): string {
  return resolve(path.replace(/^~(?=$|[\\/])/, env.HOME || homedir()));
}

async function readToken(env: Environment): Promise<HubToken | undefined> {
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const value = env[name]?.trim();
    if (value) return checked({ value, from: name });
  }
  const file = env.HF_TOKEN_PATH ? expand(env.HF_TOKEN_PATH, env) : join(hubHome(env), 'token');
  try {
    const value = (await readFile(file, 'utf8')).trim();
    return value === '' ? undefined : checked({ value, from: file });
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return undefined;
    throw new UserError(`cannot read the hub's token: ${messageOf(cause)}`, {
      hint: 'Set HF_TOKEN, or name another file with HF_TOKEN_PATH.',
      cause,
    });
  }
}

/** Headers hold only visible characters; messages never contain the value. */
function checked(token: HubToken): HubToken {
  if (/^[\x21-\x7e]+$/.test(token.value)) return token;
  throw new UserError(`the token in ${token.from} contains characters that a token cannot have`, {
    hint: 'Copy it again from the hub, without quotes or line breaks.',
  });
}

function protocolOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).protocol : undefined;
}
