import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { Environment } from '../cache/cache-directory.js';

/** Where the hub is and what is known of the one who asks: read from the variables that Python's client reads. */
export interface HubSettings {
  /** Without a slash at its end. */
  endpoint: string;
  /** The directory with a directory for each repository. */
  cacheDir: string;
  token: HubToken | undefined;
  /** The variable that forbids the network, if one does. */
  offline: string | undefined;
  env: Environment;
}

interface HubToken {
  value: string;
  /** For people: the variable or file that it came from. */
  from: string;
}

/** The hub itself, where no `HF_ENDPOINT` names a mirror. */
const DEFAULT_ENDPOINT = 'https://huggingface.co';
const YES = new Set(['1', 'ON', 'YES', 'TRUE']);

/**
 * Reads the settings, as huggingface_hub does:
 * `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME`/hub, `XDG_CACHE_HOME`/huggingface/hub, ~/.cache/huggingface/hub;
 * `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, the file `HF_TOKEN_PATH` or `HF_HOME`/token;
 * `HF_ENDPOINT`; `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`. An empty variable counts as unset.
 * @throws UserError when the token's file cannot be read, or the endpoint is no URL
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

/** The cache that Tocsin shares with Python's clients; it is not created here. @returns an absolute path */
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

/** A header holds visible characters only; the value itself is never part of a message. */
function checked(token: HubToken): HubToken {
  if (/^[\x21-\x7e]+$/.test(token.value)) return token;
  throw new UserError(`the token in ${token.from} holds characters that a token cannot have`, {
    hint: 'Copy it again from the hub, without quotes or line breaks.',
  });
}

function protocolOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).protocol : undefined;
}
