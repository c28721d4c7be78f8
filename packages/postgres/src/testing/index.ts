/** For tests, of this package and of those above it: databases on a real server. */
export { type TestBackend, TestDatabase } from './test-database.js';
