import { ROLES } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import { pageOf, pageQuery, plainText, type QueryOf, serial, time, title } from './values.js';

const role = z.enum(ROLES);

/** Who asks, and what there is for them. */
export const me = z
  .object({
    name: z.string(),
    role,
    /** There is no key yet, and everybody on this machine is the administrator. */
    keyless: z.boolean(),
    /** Guards that can be asked for scores, by name; the first is the default. */
    guards: z.array(z.string()),
    version: z.string(),
    limits: z.object({
      /** Of a JSON body. */
      bodyBytes: z.number().int(),
      /** Of an uploaded file. */
      uploadBytes: z.number().int(),
      /** Items of one call to /api/score. */
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
    /** Its first characters: what people tell keys apart by. */
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
/** All of them, the newest first. */
export const keyList = z.object({ data: z.array(apiKey) });
export const keyParams = z.strictObject({ id: z.uuid() });

export const newKey = z.strictObject({
  name: title(100),
  role,
  /** Days from now; without it the key does not expire. */
  expiresInDays: z.number().int().min(1).max(3650).optional(),
});
export type NewKey = z.infer<typeof newKey>;

/** A key that was made: the only answer that ever holds it. */
export const madeKey = apiKey.extend({ key: z.string() }).meta({ id: 'MadeKey' });
export type MadeKey = z.infer<typeof madeKey>;

const auditEntry = z
  .object({
    id: serial,
    at: time,
    /** Null for the command line, and for a server without keys. */
    keyId: z.uuid().nullable(),
    who: z.string(),
    /** What was done, e.g. `policy.threshold`, `text.read`. */
    action: z.string(),
    /** What it was done to. */
    subject: z.string(),
    run: serial.nullable(),
    seq: serial.nullable(),
    /** Never a text of a row. */
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditEntries = pageOf(auditEntry);
export const auditQuery = z.strictObject({
  ...pageQuery,
  action: plainText(64).optional().meta({ description: 'Only what was this, e.g. `text.read`.' }),
  run: z.coerce.number().int().positive().optional(),
});
export type AuditQuery = QueryOf<typeof auditQuery>;
