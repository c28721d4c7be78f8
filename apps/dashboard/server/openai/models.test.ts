import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findModel, type ServedGuard } from './models.js';

const guard = (name: string, threshold: number): ServedGuard => ({
  name,
  threshold,
  createdAt: new Date(0),
});
const GUARDS = [guard('starter', 0.5), guard('acme/guard@v1', 0.3), guard('C:\\guards\\own', 0.7)];
const POLICIES = [
  { name: 'strict', threshold: 0.1 },
  { name: 'permissive', threshold: 0.9 },
];
const found = (name?: string | null): unknown[] | undefined => {
  const model = findModel(name, GUARDS, POLICIES);
  return model && [model.guard.name, model.threshold, model.name];
};

test.each([
  [undefined, ['starter', 0.5, 'starter']],
  [null, ['starter', 0.5, 'starter']],
  ['omni-moderation-latest', ['starter', 0.5, 'starter']],
  ['text-moderation-stable', ['starter', 0.5, 'starter']],
  ['acme/guard@v1', ['acme/guard@v1', 0.3, 'acme/guard@v1']],
  ['strict', ['starter', 0.1, 'starter:strict']],
  ['acme/guard@v1:permissive', ['acme/guard@v1', 0.9, 'acme/guard@v1:permissive']],
  ['C:\\guards\\own', ['C:\\guards\\own', 0.7, 'C:\\guards\\own']],
  ['C:\\guards\\own:strict', ['C:\\guards\\own', 0.1, 'C:\\guards\\own:strict']],
])('%s is %j', (name, expected) => {
  expect(found(name)).toEqual(expected);
});

test.each([
  '',
  'gpt-5',
  'Strict',
  'starter:',
  ':strict',
  'starter:nothing',
  'nothing:strict',
  'strict:starter',
])('%j is no model', (name) => {
  expect(found(name)).toBeUndefined();
});

test('the name in full stands for the same again, whatever guards and policies are called', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, unit: fc.constantFrom('a', 'b', ':', '/') }), {
    minLength: 1,
    maxLength: 4,
  });
  const policyNames = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab'), { minLength: 1 });
  fc.assert(
    fc.property(names, policyNames, fc.nat(3), fc.nat(2), (guardNames, policies, g, p) => {
      const guards = guardNames.map((name, i) => guard(name, i / 10));
      const thresholds = policies.map((name, i) => ({ name, threshold: 0.5 + i / 10 }));
      const asked = `${guardNames[g % guardNames.length]}:${policies[p % policies.length]}`;
      const model = findModel(asked, guards, thresholds);
      expect(model).toBeDefined();
      expect(findModel(model?.name, guards, thresholds)).toEqual(model);
    }),
  );
});

test('without a guard there is no model', () => {
  expect(findModel(undefined, [], POLICIES)).toBeUndefined();
});
