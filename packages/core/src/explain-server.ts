import { UserError } from './user-error.js';

/** What is wrong with a server, and what to do about it: both for people. */
export interface Explanation {
  /** A clause: `the disk of the database server is full`. */
  why: string;
  /** A sentence or two. */
  todo: string;
  /** The SQLSTATE, or Node's code, if it was told by one. */
  code?: string;
}

interface Known extends Explanation {
  /** Words of the server's that say which of several causes it is. */
  says?: RegExp;
}

const CHECK_LOGIN = 'Check the user name and the password in DATABASE_URL';
const ENCODE =
  'A password in a URL must be URL-encoded (@ is %40, / is %2F, % is %25); PGPASSWORD takes it as it is.';
const CERTIFICATE: Explanation = {
  why: 'this machine does not trust its TLS certificate',
  todo: 'Give the certificate of its authority: ?sslrootcert=/path/ca.pem in DATABASE_URL, or NODE_EXTRA_CA_CERTS=/path/ca.pem. With ?sslmode=no-verify Postgres is used without checking who it is.',
};

/** By SQLSTATE (PostgreSQL, appendix A), or by Node's code; the first that fits counts. */
const BY_CODE: Record<string, Known[]> = {
  '08P01': [
    {
      says: /startup parameter/,
      why: 'the connection pooler refuses a parameter of the connection',
      todo: 'Tocsin sends none that PgBouncer refuses: take `options` out of DATABASE_URL (and PGOPTIONS out of the environment), or add it to ignore_startup_parameters.',
    },
  ],
  '25006': [{ why: 'it is a read-only standby', todo: 'Name the primary server in DATABASE_URL.' }],
  '26000': [
    {
      why: 'a statement prepared on a connection is gone: a pooler gives each transaction another one',
      todo: 'Use pool_mode = session, or connect to PostgreSQL itself (docs/run-a-service.md).',
    },
  ],
  '28000': [
    {
      says: /no encryption|SSL off/,
      why: 'it requires an encrypted connection',
      todo: 'Add ?sslmode=require to DATABASE_URL.',
    },
    {
      why: 'pg_hba.conf does not allow this user to connect from this machine',
      todo: `${CHECK_LOGIN}, and pg_hba.conf on the server.`,
    },
  ],
  '28P01': [{ why: 'the password is wrong', todo: `${CHECK_LOGIN}. ${ENCODE}` }],
  '3D000': [
    {
      why: 'the database does not exist',
      todo: 'Create it (createdb NAME), or name another in DATABASE_URL.',
    },
  ],
  '42501': [
    {
      why: 'the user lacks a privilege',
      todo: "Tocsin needs every right in its schemas: let the database's owner run `GRANT ALL ON SCHEMA tocsin, tocsin_queue TO user` and give it the tables there (docs/run-a-service.md).",
    },
  ],
  ...Object.fromEntries(
    ['42P06', '42P07', '42710', '42723'].map((code) => [
      code,
      [
        {
          why: 'an object of that name already exists that this version of Tocsin did not create',
          todo: 'Give Tocsin another schema (TOCSIN_SCHEMA, or ?schema=name in DATABASE_URL), or remove what is in the way.',
        },
      ],
    ]),
  ),
  '53100': [
    {
      why: 'the disk of the database server is full',
      todo: 'Make room there (tocsin runs purge deletes old runs; VACUUM FULL gives the space back), then start this again: what was scored stays.',
    },
  ],
  '53200': [
    {
      why: 'the database server is out of memory',
      todo: 'Give it more, or lower its work_mem and max_connections.',
    },
  ],
  '53300': [
    {
      why: 'it has no free connections',
      todo: 'Raise max_connections, or put PgBouncer (pool_mode = session) before it: each Tocsin process takes up to about 15.',
    },
  ],
  '57014': [
    {
      says: /statement timeout/,
      why: "a statement took longer than the server's statement_timeout",
      todo: 'Lift it for this user: ALTER ROLE name SET statement_timeout = 0.',
    },
  ],
  '57P03': [
    {
      why: 'it is starting, or recovering from a crash',
      todo: 'Try again in a moment; its log says how far it is.',
    },
  ],
  ENOSPC: [
    {
      why: 'no space is left on the disk',
      todo: 'Make room there, then start this again: what was scored stays.',
    },
  ],
  EDQUOT: [
    {
      why: 'the disk quota is used up',
      todo: 'Make room there, then start this again: what was scored stays.',
    },
  ],
  ENOTFOUND: [{ why: 'the host name does not exist', todo: 'Check the host in its URL.' }],
  EAI_AGAIN: [
    { why: 'its name could not be resolved', todo: "Check the host in its URL, and this machine's DNS." },
  ],
  CERT_HAS_EXPIRED: [
    { why: 'its TLS certificate has expired', todo: 'Renew the certificate on the server.' },
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    {
      why: 'its TLS certificate is for another host',
      todo: 'Use the host that the certificate names. With ?sslmode=no-verify Postgres is used without checking who it is.',
    },
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    { why: 'it does not speak TLS', todo: 'Write redis:// instead of rediss://, or name its TLS port.' },
  ],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: [
    { why: 'it does not speak TLS', todo: 'Write redis:// instead of rediss://, or name its TLS port.' },
  ],
  ...Object.fromEntries(
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ].map((code) => [code, [CERTIFICATE]]),
  ),
};

/** By what the error says: Redis begins its errors with a word, and node-postgres gives some no code. */
const BY_WORDS: (Explanation & { says: RegExp })[] = [
  {
    says: /^The server does not support SSL connections/,
    why: 'it does not speak TLS',
    todo: 'Take sslmode out of DATABASE_URL, or turn ssl on in postgresql.conf.',
  },
  {
    says: /(^|[ -])OOM command not allowed/,
    why: 'Redis has used its maxmemory',
    todo: 'Raise maxmemory (a waiting parcel takes about 1 KB), or give the queue a Redis of its own. What was scored stays; start this again afterwards.',
  },
  {
    says: /^NOAUTH/,
    why: 'Redis requires a password',
    todo: 'Set REDIS_PASSWORD, or name it in REDIS_URL, URL-encoded: redis://:password@host:port.',
  },
  {
    says: /^ERR .*AUTH.*(without any password|no password is set)/,
    why: 'Redis has no password, and REDIS_URL or REDIS_PASSWORD names one',
    todo: 'Take it out, or set it on the server (requirepass).',
  },
  {
    says: /^(WRONGPASS|ERR invalid password)/,
    why: 'Redis does not accept the user name or the password',
    todo: 'Check REDIS_URL. A password in a URL must be URL-encoded (@ is %40, / is %2F, % is %25); REDIS_PASSWORD takes it as it is.',
  },
  {
    says: /^NOPERM/,
    why: 'this user of Redis may not run a command that the queue needs',
    todo: 'Allow it every command on its keys: ACL SETUSER name ~* &* +@all.',
  },
  {
    says: /^DENIED/,
    why: 'Redis is in protected mode and accepts only local connections',
    todo: 'Set a password there (requirepass) and name it in REDIS_URL, or turn protected-mode off where only trusted machines reach it.',
  },
  {
    says: /(^|[ -])READONLY You can't write/,
    why: 'it is a read-only replica',
    todo: 'Name the master in REDIS_URL.',
  },
  {
    says: /(^|[ -])MISCONF /,
    why: 'Redis cannot save to its disk, and takes no writes',
    todo: 'Look at its log and its disk; CONFIG SET stop-writes-on-bgsave-error no lets it go on without saving.',
  },
  {
    says: /^(LOADING|BUSY |MASTERDOWN|CLUSTERDOWN)/,
    why: 'Redis is not ready: it loads its data, runs a script, or misses its master',
    todo: 'Try again in a moment; its log says how far it is.',
  },
  {
    says: /^(MOVED|ERR.*cluster mode)/,
    why: 'it is a node of a Redis Cluster',
    todo: 'Write REDIS_URL as redis+cluster://host:port,host:port.',
  },
  {
    says: /^ERR max number of clients/,
    why: 'Redis has no connection left',
    todo: 'Raise maxclients.',
  },
  {
    says: /^ERR DB index is out of range/,
    why: 'it has no database of that number',
    todo: 'Take the number out of REDIS_URL, or raise `databases` in redis.conf.',
  },
];

/** How deep errors lie in each other: drizzle and others wrap what the server said. */
const DEEPEST = 8;

/**
 * Explains a known error of Postgres, Redis, TLS or the network that the operator can fix; undefined for unknown errors.
 * Searches `cause` and aggregates.
 */
export function explainServer(error: unknown, depth = 0): Explanation | undefined {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return undefined;
  const {
    code,
    message = '',
    cause,
    errors,
  } = error as {
    code?: unknown;
    message?: string;
    cause?: unknown;
    errors?: unknown;
  };
  const known = (typeof code === 'string' ? (BY_CODE[code] ?? []) : []).find(
    ({ says }) => says === undefined || says.test(message),
  );
  const found = known ?? BY_WORDS.find(({ says }) => says.test(message));
  if (found !== undefined) {
    const { why, todo } = found;
    return { why: shownWith(why, message), todo, code: known === undefined ? undefined : String(code) };
  }
  for (const inner of [cause, ...(Array.isArray(errors) ? errors : [])]) {
    const explained = explainServer(inner, depth + 1);
    if (explained !== undefined) return explained;
  }
  return undefined;
}

/** The server's own words go with ours: they name the table, the user, the limit. */
const shownWith = (why: string, message: string): string =>
  message === '' ? why : `${why} (${message.trim()})`;

/**
 * An error of a server in words for people; undefined when it is nothing known, and so a defect of ours.
 */
export function serverError(error: unknown): UserError | undefined {
  const explained = explainServer(error);
  return (
    explained &&
    new UserError(`a server that Tocsin uses refused: ${explained.why}`, {
      hint: explained.todo,
      cause: error,
    })
  );
}
