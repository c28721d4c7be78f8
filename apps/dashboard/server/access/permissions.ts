import type { Role } from '@tocsin/core';

/** What a route asks of who calls it. */
const PERMISSIONS = ['look', 'score', 'submit', 'read', 'oversee', 'review', 'manage'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * `look`: what has no text of a row in it. `score`: ask for scores. `submit`: make runs, and change one's own. `read`:
 * runs, rows and texts, of one's own runs only for the role `submit`. `oversee`: what belongs to no key in particular.
 * `review`: judge rows. `manage`: everything else.
 */
const PERMISSIONS_OF = {
  submit: ['look', 'score', 'submit', 'read'],
  read: ['look', 'read', 'oversee'],
  review: ['look', 'score', 'read', 'oversee', 'review'],
  admin: PERMISSIONS,
} as const satisfies Record<Role, readonly Permission[]>;

/** What a route needs: a permission, or nobody in particular. */
export type Needs = Permission | 'nobody';

export function may(role: Role, permission: Permission): boolean {
  const permissions: readonly Permission[] = PERMISSIONS_OF[role];
  return permissions.includes(permission);
}

/** The roles that may do it. */
export function rolesOf(permission: Permission): Role[] {
  return (Object.keys(PERMISSIONS_OF) as Role[]).filter((role) => may(role, permission));
}
