import { TestDatabase as BareDatabase, type TestBackend } from '@tocsin/postgres/testing';
import { migrateSchema } from '../schema/migrate.js';

/** A database on a server shared by all test files. */
export class TestDatabase extends BareDatabase {
  /** A database with Tocsin's tables. */
  static async migrated(): Promise<TestDatabase> {
    const database = await TestDatabase.empty();
    await migrateSchema(database.pool);
    return database;
  }

  /**
   * The same with BullMQ's tables. @param prepare `prepareBackend` of @tocsin/queue, which this package does not depend
   * on
   */
  static async withQueue(prepare: (backend: TestBackend) => Promise<void>): Promise<TestDatabase> {
    const database = await TestDatabase.migrated();
    await prepare(database.backend);
    return database;
  }
}
