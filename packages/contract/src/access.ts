import { ROLES } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import { pageOf, pageQuery, plainText, type QueryOf, serial, time, title } from './values.js';

const role = z.enum(ROLES);

/** The caller, and what is available to them. */
export const me = z
  .object({
    name: z.string(),
    role,
    /** No key exists yet: anyone on this machine is an administrator. */
    keyless: z.boolean(),
    /** Served guards by name; the first is the default. */
    guards: z.array(z.string()),
    version: z.string(),
    limits: z.object({
      /** Largest JSON body. */
      bodyBytes: z.number().int(),
      /** Largest uploaded file. */
      uploadBytes: z.number().int(),
      /** Most items per call to /api/score. */
      items: z.number().int(),
    }),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof me>;

export const signIn = z.strictObject({ key: z.string().min(1).max(200) });

export const apiKey = z
  .object({
    id: z.uuid(),
    name: z.string(),
    /** Its first characters, to tell keys apart. */
    prefix: z.string(),
    role,
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
    lastUsedAt: time.nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof apiKey>;
/** All keys, newest first. */
export const keyList = z.object({ data: z.array(apiKey) });
export const keyParams = z.strictObject({ id: z.uuid() });

export const newKey = z.strictObject({
  name: title(100),
  role,
  /** Days from now; omit it for a key that does not expire. */
  expiresInDays: z.number().int().min(1).max(3650).optional(),
});
export type NewKey = z.infer<typeof newKey>;

/** A new key. This is the only response that contains it. */
export const madeKey = apiKey.extend({ key: z.string() }).meta({ id: 'MadeKey' });
export type MadeKey = z.infer<typeof madeKey>;

const auditEntry = z
  .object({
    id: serial,
    at: time,
    /** Null for the command line and for a server without keys. */
    keyId: z.uuid().nullable(),
    who: z.string(),
    /** The action, e.g. `policy.threshold`, `text.read`. */
    action: z.string(),
    /** The object of the action. */
    subject: z.string(),
    run: serial.nullable(),
    seq: serial.nullable(),
    /** Never contains row text. */
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditEntries = pageOf(auditEntry);
export const auditQuery = z.strictObject({
  ...pageQuery,
  action: plainText(64).optional().meta({ description: 'Only entries with this action, e.g. `text.read`.' }),
  run: z.coerce.number().int().positive().optional(),
});
export type AuditQuery = QueryOf<typeof auditQuery>;
